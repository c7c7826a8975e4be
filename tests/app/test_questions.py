from __future__ import annotations

from typing import Any

import pytest

from temperance.app.folders import WORDS
from temperance.app.project import Project
from temperance.app.questions import ABOUT_COLUMNS, ABOUT_ROWS, Question, answered, questions

PROJECT = Project("A", {"kind": "file", "name": "a"}, target="y")
SCHEMA = {"columns": [{"name": "when.month", "source": "when"}, {"name": "zip", "source": "zip"}]}


def finding(check: str, *columns: str, state: str = "look_at_this") -> dict[str, Any]:
    return {"id": check, "check": check, "state": state, "evidence": {"columns": list(columns)}, "confidence": {}}


def test_only_what_needs_an_eye_asks() -> None:
    assert questions(finding("leaks", "zip", state="no_problem_found"), SCHEMA, PROJECT) == []
    assert questions(finding("leaks", "zip", state="not_tested"), SCHEMA, PROJECT) == []


def test_a_part_of_a_date_asks_about_its_column() -> None:
    asked = questions(finding("leaks", "when.month", "zip"), SCHEMA, PROJECT)
    assert [one.column for one in asked] == ["when", "zip"]


@pytest.mark.parametrize("check", [*ABOUT_COLUMNS, *ABOUT_ROWS, "labels"])
def test_every_question_and_every_answer_has_words(check: str) -> None:
    for one in questions(finding(check, "zip"), SCHEMA, PROJECT):
        assert WORDS.knows(f"ask.{one.words}")
        assert all(WORDS.knows(f"ask.{one.words}.{option}") for option in one.options)


def test_answers_change_how_the_data_are_read_and_can_be_taken_back() -> None:
    asked = [
        *questions(finding("leaks", "zip"), SCHEMA, PROJECT),
        *questions(finding("identifiers", "patient"), SCHEMA, PROJECT),
        *questions(finding("row_order"), SCHEMA, PROJECT),
    ]
    form = {
        "q.leaks/zip": "drop", "q.identifiers/patient": "group", "q.row_order": "time", "q.row_order.column": "when",
    }  # fmt: skip
    names = ["zip", "patient", "when", "y"]
    made = answered(PROJECT, asked, form, names)
    assert (made.columns, made.group, made.time) == ({"zip": "drop"}, "patient", "when")
    back = answered(made, asked, {"q.leaks/zip": "keep", "q.identifiers/patient": "keep"}, names)
    assert "zip" not in back.columns
    assert back.answers["leaks/zip"] == "keep"


def test_what_was_not_offered_changes_nothing() -> None:
    asked = [Question("grouping", "", "rows", ("fine", "group", "time")), Question("labels", "", "seen", ("fine",))]
    form = {"q.grouping": "group", "q.grouping.column": "nothing", "q.labels": "drop"}
    assert answered(PROJECT, asked, form, ["x"]) == PROJECT
