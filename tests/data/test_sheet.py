from __future__ import annotations

import datetime as dt

import polars as pl
import pytest

from temperance.data.sheet import frame_of, table_of
from temperance.records.errors import DataError


def test_a_column_of_one_kind_keeps_it_and_a_mixed_one_is_text() -> None:
    rows = [[1, 1.5, "a", 2**60, dt.date(2024, 1, 1), True, 3.0], [2, 2, 7, 5, None, False, "x"], [3]]
    frame = frame_of(["i", "f", "m", "big", "d", "b", "s"], rows)
    kinds = [pl.Int64, pl.Float64, pl.String, pl.String, pl.Date, pl.Boolean, pl.String]
    assert frame.dtypes == kinds
    assert frame["big"].to_list() == [str(2**60), "5", None]
    assert frame["s"].to_list() == ["3", "x", None]


def test_the_header_of_a_sheet_is_found() -> None:
    body = [[i, "a", i / 3] for i in range(20)]
    frame, notes, dropped = table_of([["Title"], [], ["n", "c", None], ["kg", "-", "m"], *body, ["Total", "", 3]], "S")
    assert frame.columns == ["n", "c", "column_3"]
    assert frame.height == 20
    assert frame["n"].dtype == pl.Int64
    assert (len(notes), len(dropped)) == (3, 2)
    with pytest.raises(DataError, match="no cells"):
        table_of([[], ["", None]], "The sheet 'S'")
    with pytest.raises(DataError, match="more than once"):
        frame_of(["a", "a"], [[1, 2]])
