"""Columns that guide the split and are no inputs: groups as codes, times as numbers."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from temperance.data.choices import ColumnChoice
from temperance.data.judge import AUTO, judge
from temperance.records.errors import DataError


def group_codes(series: pl.Series) -> NDArray[np.int64]:
    """Return (b,) codes; each row without a group is a group of its own."""
    text = series.cast(pl.String)
    codes = text.rank("dense").fill_null(0).cast(pl.Int64).to_numpy().astype(np.int64) - 1
    alone = codes < 0
    codes[alone] = codes.max(initial=-1) + 1 + np.arange(int(alone.sum()))
    return np.asarray(codes, dtype=np.int64)


def moments(series: pl.Series, choice: ColumnChoice = AUTO) -> NDArray[np.float64]:
    """Return (b,) days, times of day or numbers; NaN = missing.

    Raises:
        DataError: the column holds neither dates nor numbers.

    """
    reader = judge(series, choice)
    if reader.found is None:
        raise DataError(
            f"The time column {series.name!r} holds {series.drop_nulls().head(1).to_list()}",
            "Dates such as 2026-01-31 or 2026Q1, moments such as 2026-01-31 12:00, times such as 12:30, or numbers",
            "Write the times in one of these ways",
        )
    return reader.found.values
