from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from temperance.audit.inspection import CHECKS
from temperance.report.base import Study
from temperance.report.sections.trust import Trust
from temperance.report.words import Words
from temperance.testing.study_example import study_example


def read(study: Study) -> str:
    """Return the section as it is read: marks removed, white space folded."""
    return " ".join(re.sub(r"<[^>]+>", " ", Trust().render(study)).split())


def test_roles_and_every_test_figure_are_listed(make_study: Callable[..., Study]) -> None:
    text = read(make_study())
    for words in (
        "1,120",
        "steer the strengths",
        "Log loss",
        "Brier score",
        "below the noise floor",
        "lower is better",
    ):
        assert words in text


def test_a_part_without_rows_is_not_listed(make_study: Callable[..., Study]) -> None:
    document = study_example()
    document["roles"]["counts"]["controller"] = 0
    assert "steer the strengths" not in read(make_study(document))


def test_every_check_is_listed_with_its_state(make_study: Callable[..., Study]) -> None:
    document = study_example()
    text = read(make_study(document))
    words = Words()
    for name in (finding["check"] for finding in document["findings"]):
        assert (words.say(f"check.{name}") if words.knows(f"check.{name}") else name) in text


def test_every_check_of_the_audit_has_a_plain_name() -> None:
    assert all(Words().knows(f"check.{name}") for name in (CHECKS[one].name for one in CHECKS))


def test_no_audit_is_said(make_study: Callable[..., Study]) -> None:
    document = study_example()
    document["findings"] = []
    text = read(make_study(document))
    assert "The audit did not run" in text
    assert "No check of this kind ran" in text


@pytest.mark.parametrize(("folds", "words"), [(5, "with 5 rounds"), (0, "Rows were drawn")])
def test_folds_and_own_test_rows_are_told(folds: int, words: str, make_study: Callable[..., Study]) -> None:
    document: dict[str, Any] = study_example()
    document["roles"].update(folds=folds, test_is_separate=True)
    text = read(make_study(document))
    assert words in text
    assert "a file of their own" in text


def test_folds_choose_the_winner_where_no_rows_are_kept_for_it(make_study: Callable[..., Study]) -> None:
    document: dict[str, Any] = study_example()
    document["roles"].update(folds=5, counts={"train": 455, "selection": 0, "test": 114})
    assert "learn from and, in turn, choose the winner" in read(make_study(document))
    assert "0 choose the winner" not in read(make_study(document))
    document["roles"].update(folds=0, counts={"train": 400, "selection": 55, "test": 114})
    assert "in turn, choose" not in read(make_study(document))


def test_a_check_that_found_2_of_20_has_not_tested(make_study: Callable[..., Study]) -> None:
    document: dict[str, Any] = study_example()
    finding = {**document["findings"][2], "confidence": {"self_test": "It found 2.", "planted": 20, "found": 2}}
    document["findings"] = [finding]
    text = read(make_study(document))
    assert "found 2 of 20 planted faults, so its silence says nothing" in text
    assert "found no problem" not in text
    finding["confidence"] = {"self_test": "It found 19.", "planted": 20, "found": 19}
    text = read(make_study(document))
    assert "1 check found no problem" in text
    assert "silence" not in text


def test_only_what_was_counted_is_told_as_a_count(make_study: Callable[..., Study]) -> None:
    document: dict[str, Any] = study_example()
    finding = document["findings"][0]
    document["findings"] = [finding]
    assert "Found: 3 of 2,000" in read(make_study(document))
    finding["evidence"] = {"n": 455, "k": 1}  # a yes, as of the check of the row order
    assert "Found:" not in read(make_study(document))
