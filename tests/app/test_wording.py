from __future__ import annotations

from typing import Any

import pytest

from temperance.app.wording import COMMON, as_read, dated, describe, means, offered, written
from temperance.data.choices import READS, ColumnChoice
from temperance.records.errors import SettingError

COLUMN: dict[str, Any] = {"read": "number", "written": "", "why": "", "others": [], "examples": []}


def test_every_choice_that_is_offered_has_words_of_its_own() -> None:
    words = [describe(how) for how in COMMON]
    assert len(set(words)) == len(words)
    with pytest.raises(SettingError):
        describe("nonsense")


@pytest.mark.parametrize(
    ("kind", "form", "words"),
    [
        ("number", "", "numbers such as 1234.5"),
        ("number", ",.", "numbers such as 1.234,5"),
        ("number", ", EUR", "numbers such as 1234,5, in EUR"),
        ("date", "%m/%d/%Y", "dates, written as 12/31/2024"),
        ("category", "", "words or codes"),
        ("text", "", "text, of which words are used"),
        ("set", "|", "several values in a cell"),
        ("none", "", "nothing that can be read"),
    ],
)
def test_how_a_column_was_read(kind: str, form: str, words: str) -> None:
    assert as_read({**COLUMN, "read": kind, "written": form}) == words
    assert as_read({**COLUMN, "why": "It is constant."}) == "left out"


@pytest.mark.parametrize("how", READS)
def test_all_that_a_file_of_decisions_may_hold_has_words(how: str) -> None:
    assert describe(how)


def test_both_readings_of_a_value_are_told() -> None:
    column = {**COLUMN, "examples": ["12", "1,234"]}
    assert means("number,decimal=,", column) == "; 1,234 is 1.234"
    assert means("number,decimal=.,thousands=,", column) == "; 1,234 is 1234"
    days = {**COLUMN, "examples": ["03/10/2024"]}
    assert means("date,pattern=%d/%m/%Y", days) == "; 03/10/2024 is 3 October 2024"
    assert means("date,pattern=%m/%d/%Y", days) == "; 03/10/2024 is 10 March 2024"
    assert means("category", days) == ""
    assert means("number,decimal=.", {**COLUMN, "examples": ["n/a?"]}) == "; n/a? is missing"


def test_a_choice_is_written_as_the_command_line_takes_it() -> None:
    for how in COMMON:
        assert ColumnChoice.of(written(ColumnChoice.of(how))) == ColumnChoice.of(how)


def test_what_was_chosen_and_what_is_doubted_stand_first() -> None:
    column = {**COLUMN, "others": ["category"]}
    values = [value for value, _ in offered(column, "number,na=-9")]
    assert values[:3] == ["", "number,na=-9", "category"]
    assert len(values) == len(set(values))
    assert dated("%d/%m/%Y was taken") == "31/12/2024 was taken"
