from __future__ import annotations

import base64
import hashlib
import json
import os
import re
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from temperance import report
from temperance.records.errors import DataError, StudyError
from temperance.report.figures import LIMIT, clip, work_out
from temperance.report.forms import date, form_named
from temperance.report.node import Node, resolve, unescaped
from temperance.report.page import html, policy, stylesheet
from temperance.report.words import Words
from temperance.testing.findings_example import findings_example
from temperance.testing.study_example import study_example

STYLE = Words().style
EVIL = '"><script>alert(1)</script><img src=x onerror=alert(2)>{{7*7}}&amp;\u202e'


# ---- every figure resolves to a value of study.json


def test_every_figure_is_the_value_that_its_path_names(page: Any, document: dict[str, Any]) -> None:
    figures = page.all("data")
    assert len(figures) > 150
    for figure in figures:
        attributes = figure.attributes
        value = work_out(attributes.get("data-rule", "value"), resolve(document, attributes["data-path"]))
        assert json.loads(attributes["value"]) == value
        assert figure.text() == STYLE.mark(form_named(attributes["data-form"])(value))


def test_every_text_is_the_one_that_its_path_names(page: Any, document: dict[str, Any]) -> None:
    texts = [e for e in page.walk() if "data-path" in e.attributes and e.name in ("bdi", "code", "time")]
    assert len(texts) > 80
    for element in texts:
        path, rule = element.attributes["data-path"], element.attributes.get("data-rule")
        value = str(resolve(document, path))
        if rule == "key":
            assert element.text() == clip(unescaped(path.rsplit("/", 1)[-1]), 60)
        elif rule == "date":
            assert element.text() == clip(date(value, STYLE), 40)
        else:
            limit = int(element.attributes.get("data-limit", LIMIT))
            assert element.text().replace("`", "") == clip(value, limit).replace("`", "")


def test_every_mark_of_a_chart_is_the_value_that_its_path_names(page: Any, document: dict[str, Any]) -> None:
    marks = [e for e in page.walk() if "data-value" in e.attributes]
    assert len(marks) > 20
    for mark in marks:
        assert json.loads(mark.attributes["data-value"]) == resolve(document, mark.attributes["data-path"])


def test_no_number_stands_without_a_source(page: Any) -> None:
    """Digits outside traced elements may only be ticks of charts, fixed words, and counts of what was left out."""

    def traced(e: Any) -> bool:
        fixed = e.name in ("style", "svg", "title", "pre") or e.classes() & {"more", "key", "sources"}
        return "data-path" in e.attributes or bool(fixed)

    text = page.all("body")[0].text(traced)
    fixed = ("90 of 100", " of 100", "Of 100", "256 rows", "SHA-256", "95 %", "F1", "R²")
    for phrase in fixed:
        text = text.replace(phrase, "")
    assert re.findall(r".{20}\d.{0,20}", text) == []


# ---- a page that needs nothing else


def test_nothing_is_fetched_and_nothing_runs(page: Any) -> None:
    assert not [e for e in page.walk() if e.name in ("script", "link", "iframe", "object", "embed", "img", "video")]
    assert not [e for e in page.walk() if any(key.startswith("on") or key in ("src", "style") for key in e.attributes)]
    links = {e.attributes["href"] for e in page.all("a")}
    assert all(link.startswith("#") or link == "study.json" for link in links)
    assert "url(" not in page.all("style")[0].text()
    assert "@import" not in page.all("style")[0].text()


def test_the_policy_allows_this_style_and_nothing_else(page: Any) -> None:
    style = page.all("style")[0].text()
    told = next(m.attributes["content"] for m in page.all("meta") if "http-equiv" in m.attributes)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert told == f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    assert told == policy(style)


# ---- readable by everybody


def test_landmarks_headings_and_language(page: Any) -> None:
    assert page.all("html")[0].attributes["lang"] == "en"
    assert len(page.all("h1")) == 1
    for name in ("header", "nav", "main", "footer", "title"):
        assert page.all(name), name
    levels = [int(e.name[1]) for e in page.walk() if re.fullmatch("h[1-6]", e.name)]
    assert all(b - a <= 1 for a, b in pairwise(levels))
    parts = [e.attributes["aria-labelledby"].removesuffix("-h") for e in page.all("section")]
    assert parts == [
        "answer",
        "trust",
        "mistakes",
        "depends",
        "data",
        "tried",
        "bought",
        "fails",
        "safety",
        "using",
        "duties",
        "method",
    ]


def test_ids_are_unique_and_links_lead_somewhere(page: Any) -> None:
    ids = [e.attributes["id"] for e in page.walk() if "id" in e.attributes]
    assert len(ids) == len(set(ids))
    for link in (e.attributes["href"] for e in page.all("a")):
        assert not link.startswith("#") or link[1:] in ids
    for e in page.walk():
        for named in e.attributes.get("aria-labelledby", "").split():
            assert named in ids


def test_every_chart_has_title_description_and_table(page: Any) -> None:
    figures = page.all("figure")
    assert len(figures) >= 3
    for figure in figures:
        assert figure.all("figcaption")[0].text().strip()
        assert figure.all("details")[0].all("table")[0].all("tr")
    drawings = [svg for svg in page.all("svg") if "plot" in svg.classes()]
    for svg in drawings:
        assert svg.attributes["role"] == "img"
        assert svg.all("title")[0].text()
        assert svg.all("desc")[0].text()
    others = [svg for svg in page.all("svg") if "plot" not in svg.classes() and "stretch" not in svg.classes()]
    assert all(svg.attributes.get("aria-hidden") == "true" for svg in others)


def test_tables_have_captions_and_scopes(page: Any) -> None:
    for table in page.all("table"):
        assert table.all("caption")[0].text().strip()
        assert all(cell.attributes.get("scope") in ("row", "col") for cell in table.all("th"))
    for region in (e for e in page.walk() if "scroll" in e.classes()):
        assert region.attributes["tabindex"] == "0"
        assert region.attributes["aria-label"]


def test_state_is_told_in_words_beside_its_colour(page: Any) -> None:
    badges = [e for e in page.walk() if "state" in e.classes()]
    words = {"Fix before use", "Look at this", "No problem found by this test", "Not tested"}
    assert {badge.text().strip() for badge in badges} == words


def _luminance(colour: str) -> float:
    full = colour if len(colour) == 6 else "".join(2 * c for c in colour)
    parts = [int(full[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("scheme", [0, 1])
def test_text_has_enough_contrast(scheme: int) -> None:
    roots = re.findall(r":root\{([^}]*)\}", stylesheet())[:2]
    colours = dict(re.findall(r"--([\w-]+):#([0-9a-f]{3,6})", roots[scheme]))
    for ground in ("paper", "card", "wash"):
        for ink in ("ink", "soft", "accent", "fix", "look", "fine", "none"):
            a, b = sorted((_luminance(colours[ink]), _luminance(colours[ground])), reverse=True)
            assert (a + 0.05) / (b + 0.05) >= 4.5, (scheme, ink, ground)


def test_it_prints_and_has_a_dark_scheme_and_no_motion() -> None:
    style = stylesheet()
    printed = style[style.index("@media print") :]
    assert "details:not(.fine,.whole,.kept)" in printed.split("{display:none}")[0]  # looked up, not printed
    assert "prefers-color-scheme:dark" in style
    assert not re.search(r"animation|transition", style)


# ---- whatever the study holds


KEEP = [
    "complete",
    "lower",
    "higher",
    "neither",
    "done",
    "discarded",
    "worse",
    "same",
    "too_small",
    "binary",
    "numeric",
]


def _evil(value: Any) -> Any:
    """Replace every free text by markup that would run; fixed words stay."""
    if isinstance(value, dict):
        return {key: _evil(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_evil(item) for item in value]
    if isinstance(value, str) and value not in KEEP and not re.fullmatch(r"t\d+|[a-z_]+", value):
        return EVIL + value
    return value


def test_markup_in_names_stays_text(parse: Callable[[str], Any]) -> None:
    document = _evil(study_example())
    document["data"].update(target=EVIL, classes=[EVIL, "b"], name=EVIL)
    document["winner"]["slices"][0].update(column=EVIL, value=EVIL)
    document["winner"]["robustness"][0]["family"] = EVIL
    document["winner"]["test"][EVIL] = document["winner"]["test"]["accuracy"]
    document["findings"][0]["check"] = EVIL
    document["versions"][EVIL] = EVIL
    page = parse(html(document))
    test_nothing_is_fetched_and_nothing_runs(page)
    test_every_figure_is_the_value_that_its_path_names(page, document)
    test_every_text_is_the_one_that_its_path_names(page, document)
    assert "alert(1)" in page.text()
    assert "49" not in page.all("h1")[0].text()


PARTS = [
    "data", "roles", "metric", "budget", "trials", "frontier", "winner",
    "findings", "bundle", "limits", "citations", "versions", "machine",
]  # fmt: skip


@pytest.mark.parametrize("part", PARTS)
def test_any_part_may_be_missing(part: str, parse: Callable[[str], Any]) -> None:
    document = study_example()
    del document[part]
    assert parse(html(document)).all("section")
    document[part] = None
    assert parse(html(document)).all("section")


@pytest.mark.parametrize(
    "part",
    [
        "test",
        "simple_test",
        "plain_test",
        "boosting_test",
        "bought",
        "robustness",
        "slices",
        "reliability",
        "cost",
        "comparison",
        "trial",
        "insight",
        "members",
    ],
)
def test_any_part_of_the_winner_may_be_missing(part: str, parse: Callable[[str], Any]) -> None:
    document = study_example()
    document["winner"][part] = None
    assert parse(html(document)).all("section")


def test_an_empty_study_says_that_nothing_was_tested(parse: Callable[[str], Any]) -> None:
    page = parse(html({"schema": 1}))
    text = page.text()
    assert "No model was finished" in text
    assert text.count("Not tested") >= 6


def test_an_interrupted_study_says_so(parse: Callable[[str], Any]) -> None:
    document = study_example(status="interrupted")
    document["winner"] = None
    document["frontier"] = []
    assert "stopped early" in parse(html(document)).all("main")[0].text()


def test_no_robustness_is_said_not_hidden(parse: Callable[[str], Any]) -> None:
    document = study_example()
    for trial in document["trials"]:
        trial["robustness"] = None
    for point in document["frontier"]:
        point["robustness"] = None
    text = parse(html(document)).text()
    assert "Toughness was not measured" in text


def test_images_and_zero_rows(parse: Callable[[str], Any]) -> None:
    document = study_example("multiclass")
    document["data"].update(rows=0, profile={"columns": []})
    document["data"]["schema"].update(kind="images", image_shape=[32, 32, 3])
    document["roles"]["counts"] = dict.fromkeys(document["roles"]["counts"], 0)
    document["winner"].update(slices=[], test={})
    assert "0 rows" in parse(html(document)).text()


def test_ten_thousand_findings_stay_a_small_page(parse: Callable[[str], Any]) -> None:
    document = study_example(trials=2000)
    document["findings"] = findings_example(10_000)
    for finding in document["findings"]:
        finding["title"] += "x" * 5000
    document["data"]["profile"]["columns"] *= 500
    document["winner"]["slices"] *= 500
    document["frontier"] *= 40
    document["limits"] *= 500
    text = html(document)
    assert len(text.encode()) <= 2_000_000
    page = parse(text)
    assert sum("finding" in e.classes() for e in page.all("article")) <= 60
    assert "more are in" in page.text()


def test_losses_are_told(parse: Callable[[str], Any]) -> None:
    document = study_example()
    ours, rival = (
        document["winner"]["test"]["accuracy"],
        document["winner"]["boosting_test"]["measurements"]["accuracy"],
    )
    rival.update(value=0.99, low=0.985, high=0.995)
    document["winner"]["bought"][0]["difference"].update(value=-0.04, low=-0.06, high=-0.02)
    answer = parse(html(document)).all("section")[0].text()
    assert "Gradient boosting is better on these rows." in answer
    assert "worse than the same net without regularization" in answer
    assert ours["value"] < rival["value"]


# ---- another language


@pytest.mark.parametrize("task", ["binary", "regression"])
def test_a_german_page_has_german_sentences_marks_and_dates(task: str, parse: Callable[[str], Any]) -> None:
    document = study_example(task)
    page = parse(html(document, language="de"))
    text = page.text()
    assert page.all("html")[0].attributes["lang"] == "de"
    assert "Die Antwort auf einen Blick" in text
    assert "23. November 2026" in text
    assert "It is right" not in text
    assert "Its typical error" not in text
    style = Words("de").style
    for figure in page.all("data"):
        value = work_out(figure.attributes.get("data-rule", "value"), resolve(document, figure.attributes["data-path"]))
        assert figure.text() == style.mark(form_named(figure.attributes["data-form"])(value))
    assert any("," in figure.text() for figure in page.all("data"))


# ---- writing it


def test_render_writes_one_file_whole(tmp_path: Path) -> None:
    (tmp_path / "study.json").write_text(json.dumps(study_example()))
    made = report.render(tmp_path)
    assert made == tmp_path / "report.html"
    assert made.stat().st_size < 2_000_000
    assert sorted(p.name for p in tmp_path.iterdir()) == ["report.html", "study.json"]
    first = made.read_bytes()
    assert report.render(str(tmp_path)).read_bytes() == first


def test_a_failed_write_leaves_the_old_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "study.json").write_text(json.dumps(study_example()))
    (tmp_path / "report.html").write_text("old")

    def full(*args: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(DataError, match="No space"):
        report.render(tmp_path)
    assert (tmp_path / "report.html").read_text() == "old"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["report.html", "study.json"]


@pytest.mark.parametrize("content", [None, "{", "[]", '{"schema": 2}', "\x00"])
def test_a_bad_study_is_refused_with_a_remedy(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "study.json").write_text(content)
    with pytest.raises(StudyError) as caught:
        report.render(tmp_path)
    assert caught.value.remedy
    assert not (tmp_path / "report.html").exists()


def test_a_node_of_the_example_is_what_the_contract_says() -> None:
    root = Node(study_example("regression"))
    assert root["schema"].raw == 1
    assert root["winner"]["test"]["rmse"]["value"].number == pytest.approx(54.0)
