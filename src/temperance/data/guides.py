"""Columns beside the inputs: groups as codes and times as numbers, which guide the split, and weights of rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from temperance.data.choices import ColumnChoice
from temperance.data.judge import AUTO, judge
from temperance.data.values import clean
from temperance.records.errors import DataError

NO_WORDS: tuple[str, ...] = ()  # the name of a group is never a word for "missing"; blanks round it do not count
SAME = 1e-12  # relative spread of weights that counts as none


def group_codes(series: pl.Series) -> NDArray[np.int64]:
    """Return (b,) codes; each row without a group is a group of its own."""
    text = clean(series, NO_WORDS)
    codes = text.rank("dense").fill_null(0).cast(pl.Int64).to_numpy().astype(np.int64) - 1
    alone = codes < 0
    codes[alone] = codes.max(initial=-1) + 1 + np.arange(int(alone.sum()))
    return np.asarray(codes, dtype=np.int64)


def group_names(series: pl.Series, *, most: int = 1000) -> tuple[str, ...]:
    """Return the groups by code, as ``group_codes`` numbers them; empty where there are more than ``most``."""
    found = clean(series, NO_WORDS).drop_nulls().unique().sort()
    return tuple(found.to_list()) if len(found) <= most else ()


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


def weights(series: pl.Series, choice: ColumnChoice = AUTO) -> NDArray[np.float64]:
    """Return (b,) weights of the rows, as they stand there; NaN = missing.

    Raises:
        DataError: the column holds no numbers, or one below 0 or infinite.

    """
    reader = judge(series, choice)
    shown = series.drop_nulls().head(2).to_list()
    if reader.kind != "number" or reader.found is None or reader.odd:
        odd = list(reader.odd)[:2] or shown
        raise DataError(f"The weight column {series.name!r} holds {odd}", "Numbers, 0 or more", "Choose another column")
    found = np.asarray(reader.found.values, dtype=np.float64)
    if (found < 0).any() or reader.found.infinite:
        worst = "infinite weights" if reader.found.infinite else f"{np.nanmin(found):g}"
        raise DataError(f"The weight column {series.name!r} holds {worst}", "Numbers, 0 or more", "Mend these rows")
    return found


def without_weight(weight: NDArray[np.float64], present: NDArray[np.bool_], name: str) -> list[dict[str, Any]]:
    """Say which of the rows that are present are left out for their weight, as entries of ``dropped``.

    Shapes: weight and present (b,).
    """
    found = ((np.isnan(weight), f"The weight {name!r} is missing."), (weight == 0, f"The weight {name!r} is 0."))
    counts = [(int((present & lost).sum()), why) for lost, why in found]
    return [{"rows": count, "column": None, "why": why} for count, why in counts if count]


def even(weight: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """Return weights with a mean of 1, as only their ratios count; None where all are the same.

    Shapes: (b,) → (b,).
    """
    return weight / weight.mean() if len(weight) and np.ptp(weight) > SAME * weight.max() else None
