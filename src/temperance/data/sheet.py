"""Cells of Python objects (a sheet, records, rows of a database) as a frame; a sheet's header is found first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import polars as pl

from temperance.data.odd_rows import odd_rows
from temperance.records.cells import EXACT
from temperance.records.errors import DataError


def frame_of(names: Sequence[str], rows: Sequence[Sequence[Any]]) -> pl.DataFrame:
    """Return a frame: a column of one kind keeps it, of several kinds it becomes text.

    Raises:
        DataError: two columns of one name.

    """
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise DataError(
            f"The column {twice[0]!r} stands there more than once", "Names that differ", "Rename the columns"
        )
    width = len(names)
    full = [[*row[:width], *[None] * (width - len(row))] for row in rows]
    columns = list(zip(*full, strict=True)) if full else [()] * width
    return pl.DataFrame([_series(str(name), column) for name, column in zip(names, columns, strict=True)])


def table_of(
    rows: Sequence[Sequence[Any]], name: str
) -> tuple[pl.DataFrame, tuple[str, ...], tuple[dict[str, Any], ...]]:
    """Return the table of a sheet with notes and what was left out: lines above the header, units, totals.

    Raises:
        DataError: the sheet is empty.

    """
    rows = [[None if cell == "" else cell for cell in row] for row in rows]
    filled = [sum(cell is not None for cell in row) for row in rows]
    if max(filled, default=0) == 0:
        raise DataError(f"{name} holds no cells", "A header and rows below it", "Name another sheet with --sheet")
    usual = Counter(count for count in filled if count).most_common(1)[0][0]
    top = next(i for i, count in enumerate(filled) if 2 * count > usual)
    body = [row for row, count in zip(rows[top + 1 :], filled[top + 1 :], strict=True) if count]
    used = [j for j in range(len(rows[top])) if any(j < len(row) and row[j] is not None for row in (rows[top], *body))]
    names = [_name(rows[top][j], j) for j in used]
    body = [[row[j] if j < len(row) else None for j in used] for row in body]
    texts = pl.DataFrame(
        {f"{j}": [None if row[j] is None else _text(row[j]) for row in body] for j in range(len(used))},
        schema={f"{j}": pl.String for j in range(len(used))},
    )
    first, last, notes, dropped = odd_rows(texts)
    if any(filled[:top]):
        notes = (f"{top} lines above the header were left out.", *notes)
    return frame_of(names, body[first:last]), notes, dropped


def _name(cell: Any, place: int) -> str:
    return f"column_{place + 1}" if cell is None or not str(cell).strip() else _text(cell).strip()


def _text(value: Any) -> str:
    if isinstance(value, float) and value.is_integer() and abs(value) < EXACT:
        return str(int(value))
    return value.isoformat(sep=" ") if type(value).__name__ == "datetime" else str(value)


def _series(name: str, cells: Sequence[Any]) -> pl.Series:
    kinds = {type(cell) for cell in cells if cell is not None}
    if kinds <= {int, float} and kinds:
        big = any(isinstance(cell, int) and abs(cell) > EXACT for cell in cells)
        if kinds == {int} and not big:
            return pl.Series(name, cells, dtype=pl.Int64)
        if not big:
            return pl.Series(name, [None if cell is None else float(cell) for cell in cells], dtype=pl.Float64)
    if len(kinds) == 1 and next(iter(kinds)).__name__ in ("bool", "date", "datetime", "time", "timedelta"):
        return pl.Series(name, cells)
    if {kind.__name__ for kind in kinds} == {"date", "datetime"}:
        return pl.Series(name, [None if cell is None else _text(cell) for cell in cells], dtype=pl.String)
    return pl.Series(name, [None if cell is None else _text(cell) for cell in cells], dtype=pl.String)
