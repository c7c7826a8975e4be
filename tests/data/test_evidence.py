from __future__ import annotations

import polars as pl
import pytest

from temperance.data.evidence import FileStyle, Numbering, numbering
from temperance.records.cells import NumberStyle


def counted(cells: list[str | None]) -> Numbering:
    return numbering(pl.Series("x", cells))


def test_counts_by_hand() -> None:
    found = counted(["1.5", "2,5", "1.234", "1,234", "12", "2,3,5", "abc", None, "1,234,567.8", "5 kg"])
    assert (found.known, found.numbers) == (9, 7)
    assert (found.point, found.comma, found.lone_point, found.lone_comma) == (2, 1, 1, 1)
    assert (found.short, found.lists) == (2, 1)
    assert found.units == {"": 6, "kg": 1}
    assert found.fits(NumberStyle()) == 4
    assert found.fits(NumberStyle(",", grouped=True, unit="kg")) == 5


@pytest.mark.parametrize(
    ("cells", "clear"),
    [
        (["1.5"] * 3 + ["2,5"], "."),
        (["1,234"] * 99 + ["12,34"], ""),  # one odd cell does not decide
        (["1,234"] * 9 + ["12,34"], ","),
        (["0,123"], ","),
        (["1.234.567"], ","),
        (["1,541e-01"], ","),
        (["12"], ""),
    ],
)
def test_what_the_cells_decide(cells: list[str], clear: str) -> None:
    assert counted(cells).clear == clear


def test_the_unit_of_most_cells_counts() -> None:
    assert counted(["5 kg"] * 9 + ["5"]).unit == "kg"
    assert counted(["5"] * 99 + ["5 kg"]).unit == ""
    assert counted(["2,3,5", "1,2"]).is_list is False
    assert counted(["2,3,5", "1,2,4"]).is_list


def test_the_file_decides_where_the_column_does_not() -> None:
    lone, short = counted(["1,234"]), counted(["1.234", "5"])
    assert FileStyle().decimal(lone)[0] == "."
    assert FileStyle(";").decimal(lone)[0] == ","
    assert FileStyle(";").decimal(short)[0] == ","
    assert FileStyle(";").decimal(counted(["1.234"]))[0] == "."
    assert FileStyle(";", lambda: ".").decimal(lone) == (".", "as in the other columns of the file")
