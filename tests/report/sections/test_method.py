from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from temperance.report.base import Study
from temperance.report.sections.method import Method
from temperance.testing.study_example import study_example


def read(study: Study) -> str:
    """Return the section as it is read: marks removed, white space folded."""
    return " ".join(re.sub(r"<[^>]+>", " ", Method().render(study)).split())


def test_settings_budget_and_limits(make_study: Callable[..., Study]) -> None:
    text = read(make_study())
    for words in (
        "temperance study churn.csv",
        "torch 2.13.0",
        "8 GB",
        "finish the winner: train again",
        "ensemble of five",
        "Srivastava",
    ):
        assert words in text


def test_each_test_figure_is_defined(make_study: Callable[..., Study]) -> None:
    document: dict[str, Any] = study_example()
    document["winner"]["test"]["ece"]["convention"] = "equal-mass bins"
    assert "equal-mass bins" in read(make_study(document))


def test_every_section_before_it_has_its_sources(make_study: Callable[..., Study]) -> None:
    study = make_study()
    study.figures.section = "answer"
    study.figures.figure(study.root["winner"]["test"]["accuracy"]["value"], form="hundred")
    study.figures.figure(study.root["winner"]["test"]["accuracy"]["value"], form="percent")
    sources = Method().context(study)["sources"]
    assert [(name, len(rows), more) for name, rows, more in sources] == [("answer", 1, 0)]
    assert "/winner/test/accuracy/value" in read(study)


def test_sources_are_capped(make_study: Callable[..., Study]) -> None:
    study = make_study({"n": list(range(50))})
    for node in study.root["n"]:
        study.figures.figure(node)
    assert [(len(rows), more) for _, rows, more in Method().context(study)["sources"]] == [(20, 30)]


@pytest.mark.parametrize("part", ["limits", "citations"])
def test_missing_lists(part: str, make_study: Callable[..., Study]) -> None:
    document: dict[str, Any] = study_example()
    document[part] = []
    document["budget"]["left_out"] = []
    text = read(make_study(document))
    assert "Nothing was left out" in text
    assert ("states no limits" in text) == (part == "limits")


def test_the_glossary_is_short() -> None:
    from temperance.report.sections.method import GLOSSARY

    assert len(GLOSSARY) <= 25
