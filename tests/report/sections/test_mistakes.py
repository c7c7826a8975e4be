from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from temperance.report.base import Study
from temperance.report.sections.mistakes import Mistakes
from temperance.testing.study_example import study_example


def read(study: Study) -> str:
    """Return the section as it is read: marks removed, white space folded."""
    return " ".join(re.sub(r"<[^>]+>", " ", Mistakes().render(study)).split())


def test_two_classes_are_told_in_sentences_a_table_and_curves(make_study: Callable[..., Study]) -> None:
    document: dict[str, Any] = study_example()
    found = document["winner"]["insight"]["mistakes"]
    text = read(make_study(document))
    recall = round(100 * found["classes"][1]["recall"]["value"])
    assert f"Of 100 rows that are yes , it finds {recall} ." in text
    used = found["threshold"]
    assert f"caught {used['caught']} and missed {used['missed']} . False alarms: {used['false']} ." in text
    assert "What is taken for what" in text
    assert "(ROC)" in text
    found["threshold"]["missed"] += 7
    assert f"missed {used['missed']} ." in read(make_study(document))


@pytest.mark.parametrize("task", ["binary", "regression"])
def test_the_same_answer_for_all_puts_no_row_before_another(task: str, make_study: Callable[..., Study]) -> None:
    document: dict[str, Any] = study_example(task)
    assert "sort them by" in read(make_study(document))
    for trial in document["trials"]:
        trial["model"] = "majority"
    text = read(make_study(document))
    assert "sort them by" not in text
    assert "It gives every row the same answer" in text


def test_a_class_that_is_never_answered_is_said(make_study: Callable[..., Study]) -> None:
    document: dict[str, Any] = study_example()
    assert "It never answers" not in read(make_study(document))
    document["winner"]["insight"]["mistakes"]["classes"][0]["precision"] = None
    assert "It never answers no ." in read(make_study(document))


def test_several_classes_have_recall_and_precision_each(make_study: Callable[..., Study]) -> None:
    document: dict[str, Any] = study_example("multiclass")
    text = read(make_study(document))
    assert text.count("answered ") >= 3
    assert "false alarms, of all other rows" not in text
    document["winner"]["insight"]["mistakes"] = {"confusion": [], "classes": [], "left_out": "25 classes are too many"}
    assert "Not tested. 25 classes are too many" in read(make_study(document))


@pytest.mark.parametrize(
    ("ends", "words"),
    [((2, 9), "Predicts too low here"), ((-9, -2), "Predicts too high here"), ((-3, 3), "No clear error to one side")],
)
def test_numbers_say_where_they_lean(ends: tuple[float, float], words: str, make_study: Callable[..., Study]) -> None:
    document: dict[str, Any] = study_example("regression")
    mistakes = document["winner"]["insight"]["mistakes"]
    mistakes["sizes"] = mistakes["sizes"][:1]
    mistakes["sizes"][0]["residual"].update(low=ends[0], high=ends[1], value=sum(ends) / 2)
    text = read(make_study(document))
    assert words in text
    assert text.count("here") + text.count("one side") == 1
    assert "For 90 of 100 rows" in text


def test_what_was_not_looked_at_is_said(make_study: Callable[..., Study]) -> None:
    document: dict[str, Any] = study_example()
    document["winner"]["insight"] = None
    assert "Not tested. The mistakes were not looked at" in read(make_study(document))
