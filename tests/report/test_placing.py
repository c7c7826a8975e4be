from __future__ import annotations

from collections.abc import Callable

import pytest

from temperance.report.base import Study
from temperance.report.page import html
from temperance.report.placing import CAP, counts, findings, place, section_of, untested_topics
from temperance.testing.findings_example import findings_example
from temperance.testing.study_example import study_example


@pytest.mark.parametrize(
    ("check", "section"),
    [
        ("duplicates", "trust"),
        ("target_leak", "trust"),
        ("time", "trust"),
        ("labels", "data"),
        ("imbalance", "data"),
        ("missingness", "data"),
        ("backdoor", "safety"),
        ("new_check", "data"),
    ],
)
def test_each_check_has_its_section(check: str, section: str) -> None:
    assert section_of(check) == section


def test_urgent_findings_come_first(make_study: Callable[..., Study]) -> None:
    study = make_study({"findings": [*reversed(findings_example(8)), {"state": "odd"}]})
    states = [f["state"].raw for f in findings(study)]
    assert states[:4] == ["fix_before_use", *["look_at_this"] * 3]
    assert states[-1] == "odd"


def test_every_finding_has_one_place_and_lists_are_capped(make_study: Callable[..., Study]) -> None:
    study = make_study({"findings": findings_example(200)})
    placed = [place(study, section) for section in ("trust", "data", "safety")]
    assert sum(len(p.shown) + p.more for p in placed) == 200
    assert max(len(p.shown) for p in placed) == CAP


def test_checks_are_counted_by_state(make_study: Callable[..., Study]) -> None:
    table = counts(make_study({"findings": findings_example(16)}))
    assert table["duplicates"]["states"] == {
        "fix_before_use": 2,
        "look_at_this": 0,
        "no_problem_found": 0,
        "not_tested": 0,
    }


def test_what_nobody_tested_is_known(make_study: Callable[..., Study]) -> None:
    assert untested_topics(make_study({"findings": []})) == ["triggers", "attacks", "membership", "files"]
    assert untested_topics(make_study({"findings": [{"check": "backdoor"}]})) == ["attacks", "membership", "files"]


def test_the_silence_of_a_blind_check_is_no_all_clear(make_study: Callable[..., Study]) -> None:
    blind = {"check": "labels", "state": "no_problem_found", "confidence": {"planted": 20, "found": 2}}
    study = make_study({"findings": [blind]})
    assert place(study, "data").untested
    assert counts(study)["labels"]["states"]["no_problem_found"] == 0
    blind["confidence"] = {"planted": 20, "found": 19}
    assert place(make_study({"findings": [blind]}), "data").fine


def test_what_is_looked_up_is_one_line_until_it_asks_for_something() -> None:
    document = study_example()
    document["findings"] = [f for f in document["findings"] if section_of(f["check"]) != "safety"]
    folded = '<details class="whole"><summary><h2 id="safety-h">'
    assert folded in html(document)
    planted = {**findings_example(4)[0], "check": "backdoor_probe", "state": "look_at_this"}
    assert folded not in html(document | {"findings": [planted]})
    assert '<details class="whole"><summary><h2 id="answer-h">' not in html(document)
