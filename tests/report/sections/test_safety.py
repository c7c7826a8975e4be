from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from temperance.report.base import Study
from temperance.report.sections.safety import Safety
from temperance.testing.study_example import study_example


def read(study: Study) -> str:
    """Return the section as it is read: marks removed, white space folded."""
    return " ".join(re.sub(r"<[^>]+>", " ", Safety().render(study)).split())


def test_what_was_not_tested_is_as_large_as_what_was(make_study: Callable[..., Study]) -> None:
    document: dict[str, Any] = study_example()
    finding = {**document["findings"][0], "check": "backdoor", "state": "no_problem_found"}
    study = make_study({**document, "findings": [finding]})
    made = Safety().render(study)
    assert "1 check found no problem" in made
    assert made.count('class="state not_tested"') == 3


@pytest.mark.parametrize(
    "words", ["Planted triggers", "Deliberate attacks", "People who can be recognised", "Model files"]
)
def test_each_question_is_named_when_nobody_asked_it(words: str, make_study: Callable[..., Study]) -> None:
    text = read(make_study(study_example()))
    assert words in text
    assert "What was not tested" in text


def attacked(verdict: str, rates: list[dict[str, Any]]) -> dict[str, Any]:
    document = study_example()
    auc = {"name": "leakage/rmia/auc", "value": 0.71, "low": 0.68, "high": 0.74, "n": 4000}
    one = {"attack": "rmia", "auc": auc, "rates": rates, "verdict": verdict, "members": 2000, "others": 2000}
    document["winner"]["leakage"] = {"attacks": [one], "not_done": [{"what": "a", "why": "b"}], "flags": ["It is odd."]}
    return document


def test_leakage_stands_with_its_rate_and_verdict(make_study: Callable[..., Study]) -> None:
    rate = {"name": "leakage/rmia/tpr@0.01", "value": 0.12, "low": 0.106, "high": 0.135, "n": 2000, "at": 0.01}
    text = read(make_study(attacked("serious", [rate])))
    assert "0.710 ( 0.680 to 0.740 )" in text
    assert "12.0 % ( 10.6 to 13.5 ) at 1.0 % false alarms serious: many rows can be recognised" in text
    assert "Not done: a , because b ." in text
    assert "It is odd." in text
    assert "People who can be recognised" not in text  # it was tested


def test_few_rows_have_no_rate(make_study: Callable[..., Study]) -> None:
    text = read(make_study(attacked("too few rows to say", [])))
    assert "too few rows to say" in text
    assert "false alarms" not in text
