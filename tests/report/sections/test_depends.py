from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from temperance.report.base import Study
from temperance.report.sections.depends import Depends
from temperance.testing.study_example import study_example


def read(study: Study) -> str:
    """Return the section as it is read: marks removed, white space folded."""
    return " ".join(re.sub(r"<[^>]+>", " ", Depends().render(study)).split())


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_columns_effects_and_three_rows(task: str, make_study: Callable[..., Study]) -> None:
    text = read(make_study(study_example(task)))
    assert "It hangs most on" in text
    assert "accumulated local effects" in text
    assert text.count("True is") == 3
    assert ("of 100 higher" in text or "of 100 lower" in text) == (task != "regression")


def test_the_first_column_is_the_one_that_costs_most(make_study: Callable[..., Study]) -> None:
    document: dict[str, Any] = study_example()
    rows = document["winner"]["insight"]["influence"]
    rows[0]["columns"] = ["postcode"]
    assert "It hangs most on postcode ." in read(make_study(document))
    rows[0]["loss"].update(value=0.0, low=-0.1, high=0.1)
    text = read(make_study(document))
    assert "It hangs most on postcode" not in text
    assert "postcode" in text  # among those that do not clearly matter


def test_no_column_that_matters_is_said(make_study: Callable[..., Study]) -> None:
    document: dict[str, Any] = study_example()
    for row in document["winner"]["insight"]["influence"]:
        row["loss"].update(value=0.0, low=-0.1, high=0.1)
    text = read(make_study(document))
    assert "No column by itself clearly matters" in text
    assert "It hangs most" not in text


def test_columns_that_go_together_are_one_line(make_study: Callable[..., Study]) -> None:
    document: dict[str, Any] = study_example()
    document["winner"]["insight"]["influence"][0]["columns"] = list("abcdef")
    text = read(make_study(document))
    assert "a , b , c , d and 2 more (they go together)" in text


def test_reasons_tell_their_direction(make_study: Callable[..., Study]) -> None:
    document: dict[str, Any] = study_example()
    example = document["winner"]["insight"]["examples"][0]
    document["winner"]["insight"]["examples"] = [example]
    example["reasons"] = [{"columns": ["age"], "values": ["61"], "shift": 0.25}]
    assert "age ( 61 ): chance 25.0 of 100 higher" in read(make_study(document))
    example["reasons"][0]["shift"] = -0.25
    assert "age ( 61 ): chance 25.0 of 100 lower" in read(make_study(document))
    example["reasons"] = []
    assert "No column by itself moves this answer" in read(make_study(document))


def test_what_was_not_looked_at_is_said_with_its_reason(make_study: Callable[..., Study]) -> None:
    document: dict[str, Any] = study_example()
    left = [{"what": "importance of columns", "why": "no time left"}]
    document["winner"]["insight"].update(influence=[], effects=[], examples=[], left_out=left)
    text = read(make_study(document))
    assert "Not tested: importance of columns . no time left" in text
    document["winner"]["insight"] = None
    assert "Which columns the answer depends on was not looked at" in read(make_study(document))
