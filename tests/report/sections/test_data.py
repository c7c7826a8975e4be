from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from temperance.report.base import Study
from temperance.report.sections.data import Data
from temperance.testing.study_example import study_example


def read(study: Study) -> str:
    """Return the section as it is read: marks removed, white space folded."""
    return " ".join(re.sub(r"<[^>]+>", " ", Data().render(study)).split())


def test_columns_are_sorted_by_gaps(make_study: Callable[..., Study]) -> None:
    text = read(make_study())
    assert text.index("age") < text.index("plan")
    assert "18 to 91" in text
    assert "basic ( 1,210 )" in text


def test_what_was_left_out_is_said(make_study: Callable[..., Study]) -> None:
    text = read(make_study())
    assert "3 rows: the target is missing" in text
    assert "customer_id" in text


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression", "odd"])
def test_the_kind_of_question_is_in_words(task: str, make_study: Callable[..., Study]) -> None:
    document: dict[str, Any] = study_example()
    document["data"]["task"] = task
    words = {"binary": "one of two", "multiclass": "one of several", "regression": "a number", "odd": "not given"}
    assert words[task] in read(make_study(document))


def test_many_classes_are_counted(make_study: Callable[..., Study]) -> None:
    document = study_example()
    document["data"]["classes"] = [f"c{i}" for i in range(100)]
    text = read(make_study(document))
    assert "c11 … 100" in text
    assert "c12" not in text


def test_texts_are_measured_in_words_and_days_are_dates(make_study: Callable[..., Study]) -> None:
    document: dict[str, Any] = study_example()
    row = {"missing": 0, "unique": 9, "top": []}
    document["data"]["profile"]["columns"] = [
        {"name": "note", "kind": "text", "low": 5.0, "high": 13.0, **row},
        {"name": "when", "kind": "numeric", "part": "days", "low": 19724.0, "high": 20087.0, **row},
    ]
    text = read(make_study(document))
    assert re.search(r"note text 0 9 5 to 13 words", text)
    assert re.search(r"when date 0 9 2024.01.02 to 2024.12.30", text)


def test_a_reason_that_is_a_sentence_ends_with_one_stop(make_study: Callable[..., Study]) -> None:
    document: dict[str, Any] = study_example()
    document["data"]["dropped"] = [{"rows": None, "column": "k", "why": "It looks like an identifier."}]
    assert "It looks like an identifier." in read(make_study(document))
    assert "identifier.." not in read(make_study(document))
