from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from temperance.report.base import Study
from temperance.report.sections.fails import Fails
from temperance.testing.study_example import study_example


def read(study: Study) -> str:
    """Return the section as it is read: marks removed, white space folded."""
    return " ".join(re.sub(r"<[^>]+>", " ", Fails().render(study)).split())


def test_weak_groups_come_first(make_study: Callable[..., Study]) -> None:
    text = read(make_study())
    assert text.index("pro") < text.index("north")
    assert "island" not in text
    assert "1 group had too few rows to tell" in text
    assert "Clearly better groups: 0 . No clear difference: 2 ." in text


def told(make_study: Callable[..., Study], **changed: Any) -> str:
    document: dict[str, Any] = study_example()
    item = document["winner"]["slices"][0]
    item["difference"].update({k: changed.pop(k) for k in ("value", "low", "high") if k in changed})
    item.update(changed)
    document["winner"]["slices"] = [item]
    return read(make_study(document))


def test_a_group_that_is_clearly_better_is_called_better(make_study: Callable[..., Study]) -> None:
    planted = told(make_study, state="same", p=1e-44, value=0.2, low=0.1, high=0.3)
    assert "Clearly better groups: 1 ." in planted
    assert "Better" in planted
    opposite = told(make_study, state="same", p=0.6, value=0.01, low=-0.1, high=0.12)
    assert "Clearly better groups: 0 . No clear difference: 1 ." in opposite


def test_no_group_is_called_worse_whose_interval_holds_zero(make_study: Callable[..., Study]) -> None:
    assert "No group of test rows was clearly worse" in told(make_study, value=-0.1, low=-0.25, high=0.05)
    opposite = told(make_study, value=-0.1, low=-0.15, high=-0.05)
    assert "No group of test rows was clearly worse" not in opposite
    assert "Worse" in opposite


def test_true_answers_are_no_groups(make_study: Callable[..., Study]) -> None:
    assert "churned" not in told(make_study, column="churned", kind="answer")
    assert "churned" in told(make_study, column="churned", kind="group")


def test_many_small_groups_take_one_line(make_study: Callable[..., Study]) -> None:
    document: dict[str, Any] = study_example()
    document["winner"]["slices"] += [{**document["winner"]["slices"][-1], "value": f"isle {i}"} for i in range(20)]
    text = read(make_study(document))
    assert text.count("too few rows") == 1
    assert "21 groups had too few rows to tell" in text


def test_a_regression_is_sliced_in_its_own_metric(make_study: Callable[..., Study]) -> None:
    text = read(make_study(study_example("regression")))
    assert "Mean error (MAE)" in text
    assert "states a number, not a chance" in text


@pytest.mark.parametrize(
    ("part", "words"),
    [
        ("slices", "Groups of rows were not compared"),
        ("robustness", "Damaged inputs were not tried"),
        ("reliability", "Stated chances were not checked"),
    ],
)
def test_what_was_not_tested_is_said(part: str, words: str, make_study: Callable[..., Study]) -> None:
    document: dict[str, Any] = study_example()
    document["winner"][part] = []
    assert f"Not tested. {words}" in read(make_study(document))


@pytest.mark.parametrize(
    ("kind", "words"), [("quadratic", "were corrected on rows"), ("identity", "no correction was proven to help")]
)
def test_what_was_done_to_the_chances_is_said(kind: str, words: str, make_study: Callable[..., Study]) -> None:
    document: dict[str, Any] = study_example()
    document["winner"]["calibration"] = {"calibrator": {"kind": kind}}
    assert words in read(make_study(document))
    del document["winner"]["calibration"]  # studies of older versions
    assert words not in read(make_study(document))


def test_no_weak_group_is_said(make_study: Callable[..., Study]) -> None:
    document: dict[str, Any] = study_example()
    document["winner"]["slices"] = document["winner"]["slices"][1:]
    assert "No group of test rows was clearly worse" in read(make_study(document))


def test_damage_that_was_left_out_is_named(make_study: Callable[..., Study]) -> None:
    document: dict[str, Any] = study_example()
    document["winner"]["robustness_summary"] = {"left_out": [{"what": "unit_error", "why": "no time was left"}]}
    assert "Not tested: wrong units. no time was left" in read(make_study(document))


@pytest.mark.parametrize(
    ("high", "words"),
    [
        (0.80, "What breaks it most: noise. At the strongest step that was tried it is right 70.0 % of the time"),
        (0.99, "No kind of damage that was tried made it clearly worse"),
    ],
)
def test_it_says_what_breaks_it_most(high: float, words: str, make_study: Callable[..., Study]) -> None:
    document: dict[str, Any] = study_example()
    document["winner"]["robustness_summary"] = {"clean": {"value": 0.9, "low": 0.85, "high": 0.95}}
    document["winner"]["robustness"] = [
        {"family": family, "severity": step, "measurement": {"value": value, "low": 0.6, "high": top, "n": 100}}
        for family, step, value, top in (
            ("noise", 1, 0.89, 0.95), ("noise", 5, 0.7, high), ("missing", 1, 0.9, 0.97), ("missing", 5, 0.85, 0.99),
        )
    ]  # fmt: skip
    text = read(make_study(document))
    assert words in text
    assert text.count("damage that was tried") + text.count("What breaks it most") == 1


def test_without_ranges_it_does_not_say_what_breaks_it(make_study: Callable[..., Study]) -> None:
    document: dict[str, Any] = study_example()
    for point in document["winner"]["robustness"]:
        point["measurement"].update(low=None, high=None)
    text = read(make_study(document))
    assert "breaks it most" not in text
    assert "clearly worse:" not in text
