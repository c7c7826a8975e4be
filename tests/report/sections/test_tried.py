from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from temperance.report.base import Study
from temperance.report.sections.tried import Tried
from temperance.testing.study_example import study_example


def read(study: Study) -> str:
    """Return the section as it is read: marks removed, white space folded."""
    return " ".join(re.sub(r"<[^>]+>", " ", Tried().render(study)).split())


def test_it_compares_in_words(make_study: Callable[..., Study]) -> None:
    text = read(make_study())
    assert "0.037 higher" in text
    assert "0.001" in text
    assert "No clear difference" in text
    assert "Clearly worse than the chosen one" in text


@pytest.mark.parametrize(
    ("ends", "words"),
    [
        ((-0.007, -0.012, -0.002), "Clearly better than the chosen one"),
        ((0.007, 0.002, 0.012), "Clearly worse than the chosen one"),
        ((-0.007, -0.02, 0.006), "No clear difference"),
    ],
)
def test_the_reading_follows_the_difference_and_not_the_rule_of_the_choice(
    ends: tuple[float, float, float], words: str, make_study: Callable[..., Study]
) -> None:
    document: dict[str, Any] = study_example()
    row = document["winner"]["comparison"][0]
    row["difference"].update(zip(("value", "low", "high"), ends, strict=True))
    row["decision"] = "worse by more than one standard error"
    document["winner"]["comparison"] = [row]
    text = read(make_study(document))
    assert words in text
    assert "worse by more" not in text


@pytest.mark.parametrize(
    ("part", "words"),
    [
        ("frontier", "Toughness was not measured"),
        ("comparison", "compared with no other"),
        ("history", "No record of the loss"),
    ],
)
def test_what_is_missing_is_said(part: str, words: str, make_study: Callable[..., Study]) -> None:
    document: dict[str, Any] = study_example()
    document["frontier"] = [] if part == "frontier" else document["frontier"]
    document["winner"][part] = []
    for trial in document["trials"]:
        trial[part] = []
    assert words in read(make_study(document))


def test_the_table_is_capped_and_keeps_the_winner(make_study: Callable[..., Study]) -> None:
    document: dict[str, Any] = study_example(trials=60)
    worst = max((t for t in document["trials"]), key=lambda t: t["selection"]["log_loss"]["value"])
    document["winner"]["trial"] = worst["id"]
    study = make_study(document)
    context = Tried().context(study)
    assert len(context["trials"]) == 21
    assert context["trials"][-1]["id"].raw == worst["id"]
    assert context["trials_more"] == 39


def test_best_first_in_the_metric_s_own_direction(make_study: Callable[..., Study]) -> None:
    document: dict[str, Any] = study_example()
    for better, pick in (("lower", min), ("higher", max)):
        document["metric"]["better"] = better
        first = Tried().context(make_study(document))["trials"][0]["selection"]["log_loss"]["value"].number
        assert first == pick(t["selection"]["log_loss"]["value"] for t in document["trials"])


def test_an_ensemble_lists_its_members(make_study: Callable[..., Study]) -> None:
    document: dict[str, Any] = study_example()
    document["winner"]["members"] = ["t004", "t005"]
    text = read(make_study(document))
    assert "weight decay 1e-4 Drops some units" in text
    assert "dropout 0.1 Drops some units" in text


def test_warnings_of_all_members_are_shown_once(make_study: Callable[..., Study]) -> None:
    document: dict[str, Any] = study_example()
    for trial in document["trials"]:
        trial["warnings"] = ["The attack became too easy: catastrophic overfitting."]
    text = read(make_study(document))
    assert text.count("catastrophic overfitting") == 1
    assert "Worth knowing about this recipe" in text
    assert "Worth knowing" not in read(make_study())


def test_a_basic_winner_has_no_recipe_and_says_so(make_study: Callable[..., Study]) -> None:
    document: dict[str, Any] = study_example()
    assert "It has none" not in read(make_study(document))
    basic = document["trials"][1]
    basic.update(recipe_text="", explanation="")
    document["winner"].update(trial=basic["id"], members={basic["id"]: 1.0})
    assert "It has none: it is a basic model" in read(make_study(document))
