from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from temperance.report.base import Study
from temperance.report.sections.bought import Bought
from temperance.testing.study_example import study_example


def read(study: Study) -> str:
    """Return the section as it is read: marks removed, white space folded."""
    return " ".join(re.sub(r"<[^>]+>", " ", Bought().render(study)).split())


def bought(make_study: Callable[..., Study], **difference: float | None) -> str:
    document: dict[str, Any] = study_example()
    document["winner"]["bought"][0]["difference"].update(difference)
    return read(make_study(document))


def test_what_was_bought_has_a_range_a_reading_and_a_price(make_study: Callable[..., Study]) -> None:
    text = read(make_study())
    assert "Regularization helped. Right answers with it is 2.9 of 100 higher" in text
    assert "+2.9" in text
    assert "No clear difference" in text
    assert "1.21 × the time of the plain net" in text


@pytest.mark.parametrize(
    ("difference", "words"),
    [
        ({"value": -0.03, "low": -0.05, "high": -0.01}, "Regularization did harm."),
        ({"value": 0.01, "low": -0.02, "high": 0.04}, "It is not clear that regularization helped."),
        ({"value": 0.01, "low": None, "high": None}, "No range was measured, so this may be luck."),
    ],
)
def test_the_answer_follows_the_range(
    difference: dict[str, float | None], words: str, make_study: Callable[..., Study]
) -> None:
    text = bought(make_study, **difference)
    assert words in text
    assert "Regularization helped." not in text


@pytest.mark.parametrize(
    ("kinds", "words"),
    [
        (("basic",), "No net was finished"),
        (("basic", "cocktail"), "No net without regularization was finished"),
        (("basic", "plain"), "Only the net without regularization was finished"),
    ],
)
def test_without_a_comparison_it_says_why(kinds: tuple[str, ...], words: str, make_study: Callable[..., Study]) -> None:
    document: dict[str, Any] = study_example()
    document["winner"]["bought"] = []
    document["trials"] = [t for t in document["trials"] if t["kind"] in kinds]
    assert words in read(make_study(document))


def test_the_price_comes_from_both_trials_where_no_ratio_was_kept(make_study: Callable[..., Study]) -> None:
    document: dict[str, Any] = study_example()
    for row in document["winner"]["bought"]:
        row["cost_ratio"] = None
    assert "The plain net took 9.6" in read(make_study(document))
    document["trials"] = [t for t in document["trials"] if t["kind"] != "plain"]
    assert "No plain net was trained to compare with" in read(make_study(document))
    document["winner"]["trial"] = document["trials"][1]["id"]
    assert "the chosen model is no regularized net" in read(make_study(document))
    net = next(t for t in document["trials"] if t["kind"] == "cocktail")
    document["winner"]["bought"][0]["trial"] = net["id"]  # the net that was compared, where another model ships
    assert "No plain net was trained to compare with" in read(make_study(document))


def test_what_is_missing_is_said(make_study: Callable[..., Study]) -> None:
    document: dict[str, Any] = study_example()
    for trial in document["trials"]:
        trial.update(trace=[], acted=[])
    text = read(make_study(document))
    assert "No strength moved" in text
    assert "The chosen model has no such parts" in text


def test_a_winner_with_weighed_members_shows_their_parts(make_study: Callable[..., Study]) -> None:
    document: dict[str, Any] = study_example()
    parts = next(t["id"] for t in document["trials"] if t["acted"])
    document["winner"].update(trial=parts, members={parts: 1.0})
    assert "2 parts were watched while training" in read(make_study(document))


def test_the_time_of_signals_is_a_sum(make_study: Callable[..., Study]) -> None:
    document: dict[str, Any] = study_example()
    for trial in document["trials"]:
        trial["signal_seconds"] = {"gap": 1.25, "plateau": 0.75}
    assert "move them took 2.0 s of its" in read(make_study(document))
    assert "Watching the training" not in read(make_study())


@pytest.mark.parametrize(("high", "folded"), [(0.02, True), (-0.01, False)])
def test_ingredients_that_made_no_clear_difference_are_one_line(
    high: float, folded: bool, make_study: Callable[..., Study]
) -> None:
    document: dict[str, Any] = study_example()
    first = document["winner"]["bought"][0]
    whole = {**first, "ingredient": "the recipe's strengths", "rows": "selection"}
    stop = {**first, "ingredient": "stopping early", "rows": "selection"}
    stop["difference"] = {**first["difference"], "value": -0.02, "low": -0.05, "high": high, "better": "lower"}
    document["winner"]["bought"] = [whole, stop]
    text = read(make_study(document))
    assert ("1 ingredient made no clear difference" in text) is folded
    assert text.count("with and without stopping early") == 1
