from __future__ import annotations

import math

import pytest

from temperance.records.members import BRACKETS, bracketed, has, members


@pytest.mark.parametrize(
    ("text", "sign", "found"),
    [
        ("red; blue", ";", {"red", "blue"}),
        ('["a", 1, true]', BRACKETS, {"a", "1", "true"}),
        ("{red,blue}", BRACKETS, {"red", "blue"}),
        ("['it''s']", BRACKETS, {"its"}),
        ("[]", BRACKETS, set()),
        ("plain", BRACKETS, {"plain"}),
    ],
)
def test_values_in_a_cell(text: str, sign: str, found: set[str]) -> None:
    assert members(text, sign) == found


def test_what_is_no_list() -> None:
    assert bracketed('{"a": 1}') is None
    assert bracketed("[[1], [2]]") is None
    assert bracketed("[1") is None


def test_yes_no_and_missing() -> None:
    assert has("red;blue", "red", ";") == 1.0
    assert has(["red"], "blue", ";") == 0.0
    assert math.isnan(has("n/a", "red", ";"))
    assert math.isnan(has("none", "red", ";", {"none"}))


def test_an_empty_list_is_what_an_empty_cell_of_a_file_is() -> None:
    assert math.isnan(has([], "red", "\x1f"))
    assert math.isnan(has([None], "red", ";"))
    assert has([], "red", BRACKETS) == has("[]", "red", BRACKETS) == 0.0
    assert has(["red", None], "red", ";") == 1.0


@pytest.mark.parametrize("value", [{"red": 1}, [["red"]], [{"red": 1}]])
def test_what_is_neither_a_value_nor_a_list_of_values_is_refused(value: object) -> None:
    with pytest.raises(ValueError):
        has(value, "red", ";")
