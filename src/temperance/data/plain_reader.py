"""Judge a column of plain numbers by its numbers and some of its cells, exactly as its text would be judged."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl

from temperance.data import judge, values
from temperance.data.choices import ColumnChoice
from temperance.data.dates import number_pattern
from temperance.data.doubts import first, number_doubts
from temperance.data.evidence import MOSTLY, FileStyle, numbering
from temperance.data.infer import Trait, of_numbers
from temperance.data.judge import Reader
from temperance.data.plain_columns import PlainColumn


def infer_plain(column: PlainColumn, choice: ColumnChoice, file: FileStyle) -> Trait | None:
    """Return what the column gives, as ``infer`` says it of its text; None where that has to be asked.

    Args:
        column: a column of plain numbers.
        choice: what the user decided.
        file: decides how numbers are written where the column itself does not.

    """
    if choice.read not in ("auto", "keep") or choice.style is not None or choice.missing is not None:
        return None
    found = column.values()
    known = np.isfinite(found)
    numbers = values.Numbers(found, pl.Series([], dtype=pl.String), 0)
    base = Reader(column.name, "none", cells=int(known.sum()))
    reader = _points(base, column, numbers) if column.style == values.PLAIN else _commas(base, column, numbers, file)
    if reader is None or (column.style == values.PLAIN and number_pattern(column.name, found[known]).pattern):
        return None
    stand_in = pl.Series(column.name, found).fill_nan(None)
    reader = judge.number_or_day(reader, stand_in, choice)
    made = of_numbers(stand_in, reader, choice.read == "keep", choice)
    return replace(made, notes=(*reader.said, *reader.doubts, *made.notes), reader=made.reader or reader)


def _points(base: Reader, column: PlainColumn, numbers: values.Numbers) -> Reader | None:
    """Return the reader that ``judge`` finds for a column where each cell is a plain number with points."""
    found = numbering(column.sample)
    if (found.marked and found.clear != ".") or found.numbers < found.known:
        return None
    made = replace(base, kind="number", found=numbers)
    return replace(made, doubts=tuple(number_doubts(made.name, made.style, found, column.head)))


def _commas(base: Reader, column: PlainColumn, numbers: values.Numbers, file: FileStyle) -> Reader | None:
    """Return the reader that ``judge`` finds for a long column of numbers with decimal commas."""
    if column.rows <= judge.WHOLE:
        return None
    found = numbering(values.clean(column.sample, weak=True))
    if not found.numbers or found.numbers < MOSTLY * found.known or found.is_list or found.unit or found.clear != ",":
        return None
    if found.style(",") != column.style or any("e" in shape.lower() for shape, _ in found.shapes):
        return None
    shown = column.head if first(column.head, judge.lone_group(",")) else None
    decimal, doubts = judge.decimal_of(found, file, base.name, pl.Series(["1,234"]) if shown is None else shown)
    if doubts and shown is None:
        return None  # the cell that shows both readings stands further down
    return judge.reader_of_numbers(base, numbers, found.style(decimal), doubts)
