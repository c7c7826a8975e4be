from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from temperance.data.choices import ColumnChoice
from temperance.data.evidence import FileStyle
from temperance.data.judge import Reader, judge
from temperance.records.errors import DataError


def judged(cells: list[Any], choice: ColumnChoice | None = None, **file: Any) -> Reader:
    return judge(pl.Series("x", cells), choice or ColumnChoice(), FileStyle(**file))


@pytest.mark.parametrize(
    ("cells", "kind", "written"),
    [
        (["1.5", "2"], "number", ""),
        (["1,5", "2"], "number", ","),
        (["5 kg", "7 kg"], "number", " kg"),
        (["2024-01-01", "2024-01-02"], "date", "iso"),
        (["12:30", "13:45"], "date", "clock"),
        (["a", "b"], "category", ""),
        (["007", "123"], "category", ""),
        ([str(2**60), "5"], "category", ""),
        ([2**60, 5], "category", ""),
        ([1.5, 2.5], "number", ""),
        ([True, False], "category", ""),
        ([None, None], "none", ""),
        (["NA", "?"], "none", ""),
    ],
)
def test_kinds(cells: list[Any], kind: str, written: str) -> None:
    found = judged(cells)
    assert (found.kind, found.written) == (kind, written)


def test_the_evidence_is_kept() -> None:
    found = judged(["1,5"] * 99 + ["ca. 3"])
    assert (found.cells, found.misfits, found.odd) == (100, 1, ("ca. 3",))
    assert found.remark() == "99 of 100 cells fit, not 'ca. 3'."
    assert found.to_dict()["read"] == "number"
    assert found.choice() == ColumnChoice("number", decimal=",")


def test_a_large_column_is_judged_by_all_its_cells(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("temperance.data.judge.WHOLE", 100)
    plain, odd = ["1,234"] * 999, ["12,34"]
    assert judged([*plain, *odd], separator=",").misfits == 1
    found = judged(["1.5"] * 900 + ["3,5"] + ["2.5"] * 99)
    assert (found.misfits, found.odd) == (1, ("3,5",))


def test_the_user_decides() -> None:
    cells = ["1,234", "5,678"]
    assert judged(cells, ColumnChoice("number", decimal=",")).found.values.tolist() == [1.234, 5.678]  # type: ignore[union-attr]
    assert judged(cells, ColumnChoice("category")).kind == "category"
    assert judged(["01/02/2024"], ColumnChoice("date", pattern="%m/%d/%Y")).found.values.tolist() == [19724.0]  # type: ignore[union-attr]
    assert judged([20240102], ColumnChoice("number")).kind == "number"
    assert judged(["20240102", "20240103"], ColumnChoice("date", pattern="%Y%m%d")).kind == "date"
    with pytest.raises(DataError, match="number"):
        judged(["a", "b"], ColumnChoice("number"))
    with pytest.raises(DataError, match="date"):
        judged(["a", "b"], ColumnChoice("date", pattern="iso"))


def test_words_for_missing_are_those_of_the_column() -> None:
    found = judged(["1", "-999", "x"], ColumnChoice(missing=("-999", "x")))
    assert (found.kind, found.cells, found.misfits) == ("number", 1, 0)
    assert judged([1, -999], ColumnChoice(missing=("-999",))).cells == 1


def test_a_word_beside_many_numbers_is_missing_and_both_readings_are_said() -> None:
    cells = [f"{i / 7:.2f}" for i in range(80)] + ["k.A."] * 20
    found = judged(cells)
    assert (found.kind, found.misfits) == ("number", 20)
    assert "--column 'x=category'" in found.doubts[0]
    assert judged(["1", "2", "3", "k.A."] * 25).kind == "category"


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        (["1.5", "2,5"] * 50, "decimal points (50) and decimal commas (50)"),
        (["2023-01-31", "31.01.2023"] * 50, "written in several ways"),
        (["5 kg", "7 lb"] * 50, "2 units"),
        (["5", "7", "low", "high"] * 50, "mixes numbers"),
        (["0.5", "1.5", "2.5", "3.5", "x"], "mixes numbers"),
    ],
)
def test_why_it_is_a_category_is_said(cells: list[str], words: str) -> None:
    found = judged(cells)
    assert found.kind == "category"
    assert words in found.said[0]


def test_days_as_whole_numbers_of_any_type() -> None:
    for cells in ([20240131, 20240229], [20240131.0, 20240229.0], ["20240131", "20240229"]):
        found = judged(cells * 5)
        assert (found.kind, found.pattern) == ("date", "%Y%m%d")
        assert found.found is not None
        assert found.found.values[:2].tolist() == [19753.0, 19782.0]
    assert judged(["20240131.0", "20240229.0"] * 5).kind == "number"
