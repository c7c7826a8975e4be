"""Change chosen cells of raw rows: blank them, or take them from other rows; the parts of a date go together."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from temperance.records.schema import MISSING, Column, Rows, Schema

Mask = NDArray[np.bool_]


class Cells(NamedTuple):
    """Which cells. Shapes: (b, n), (b, m), (b, t), or (n,), (m,), (t,) where all rows are alike; series (c,)."""

    numeric: Mask
    categorical: Mask
    text: Mask
    series: Mask = np.zeros(0, dtype=bool)


def belongs(column: Column, names: tuple[str, ...]) -> bool:
    """Return whether a column is read from one of these columns of the file."""
    return (column.source or column.name) in names


def of_columns(schema: Schema, names: tuple[str, ...]) -> Cells:
    """Return all cells of these columns of the file."""
    kinds = (schema.numeric, schema.categorical, schema.text, schema.series)
    return Cells(*(np.array([belongs(c, names) for c in columns], dtype=bool) for columns in kinds))


def blank(rows: Rows, cells: Cells) -> Rows:
    """Return rows in which the cells are missing."""
    return rows._replace(
        numeric=np.where(cells.numeric, np.nan, rows.numeric),
        categorical=np.where(cells.categorical, np.int32(MISSING), rows.categorical),
        text=None if rows.text is None else np.where(cells.text, None, rows.text),  # type: ignore[call-overload]
    )


def taken(rows: Rows, others: Rows, cells: Cells) -> Rows:
    """Return rows in which the cells are those of ``others``, which has as many rows."""
    text = None
    if rows.text is not None and others.text is not None:
        text = np.where(cells.text, others.text, rows.text)
    series = rows.series
    if series is not None and others.series is not None and cells.series.any():
        series = np.where(cells.series[:, None], others.series, series)
    return rows._replace(
        numeric=np.where(cells.numeric, others.numeric, rows.numeric),
        categorical=np.where(cells.categorical, others.categorical, rows.categorical),
        text=text,
        series=series,
    )
