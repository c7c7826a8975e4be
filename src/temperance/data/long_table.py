"""Long tables: the rows of one id, in the order of time, become one series; what does not vary stays a column."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from temperance.data import clock_columns, steps, values
from temperance.data.base import Contents
from temperance.data.choices import Choices
from temperance.data.evidence import FileStyle
from temperance.data.guides import NO_WORDS
from temperance.data.judge import judge
from temperance.data.series_array import shapes_note
from temperance.records.errors import DataError
from temperance.records.layout import Long
from temperance.records.schema import Column, Schema

SPARSE = 4  # a grid of time with more places per value than this is not used


@dataclass(frozen=True, eq=False)
class _Grid:
    """Where each row goes: its series (b,), −1 for none, and its place in it (b,)."""

    code: NDArray[np.int64]
    place: NDArray[np.int64]
    labels: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def shape(self) -> tuple[int, int]:
        return len(self.labels), int(self.place.max(initial=0)) + 1


def gather(
    contents: Contents, long: Long, target: str | None, choices: Choices, schema: Schema | None = None
) -> Contents:
    """Return one row per series: its target, columns that do not vary in it, and the other numbers as channels.

    Args:
        contents: the long table.
        long: which columns name the series and order their rows.
        target: its column; None, or absent: there is none.
        choices: what the user decided about columns.
        schema: of the model, for later data.

    Raises:
        DataError: no such column, several answers in one series, or no column of numbers that varies.

    """
    grid = _grid(contents, long, choices)
    known = grid.code >= 0
    first = _first_rows(grid.code, len(grid.labels))
    guides = {long.id, *(part.strip() for part in long.time.split(clock_columns.JOIN))}
    columns: dict[str, pl.Series] = {}
    channels: list[Column] = []
    parts: list[NDArray[np.float32]] = []
    notes = list(grid.notes)
    wanted = None if schema is None else {c.name: c for c in schema.series}
    file = FileStyle(contents.separator, lambda: "")
    for name in contents.names:
        if name in guides:
            continue
        column = contents.column(name)
        if name == target:
            columns[name] = _answer(column, grid, first, long.id)
        elif wanted is not None and name in wanted:
            channels.append(wanted[name])
            parts.append(_channel(values.numbers(column, wanted[name].style, wanted[name].missing).values, grid))
        elif wanted is not None or not _counts(column, grid.code).height:
            columns[name] = _filled(column, grid.code, len(grid.labels))
        else:
            reader = judge(column, choices.of(name), file)
            if reader.kind != "number" or reader.found is None or choices.of(name).read == "drop":
                notes.append(f"Column {name!r} varies within a series and is no number: it is not used.")
                continue
            notes += [*reader.said, *reader.doubts]
            style = reader.style
            made = Column(name, "series", name, format=style.form, unit=style.unit, missing=reader.missing)
            channels.append(made)
            parts.append(_channel(reader.found.values, grid))
    if not parts:
        raise DataError(
            f"No column of {contents.name} holds numbers that vary within a series of {long.id!r}",
            "At least one, such as a measurement at each moment", "Leave out --id if each row is a case of its own",
        )  # fmt: skip
    series = np.stack(parts, axis=1)
    notes.append(shapes_note(series))
    lost = int((~known).sum())
    dropped = [{"rows": lost, "column": None, "why": f"{long.id!r} or its time is missing."}] if lost else []
    return replace(
        contents, frame=pl.DataFrame(columns), series=series, channels=tuple(channels), labels=grid.labels,
        notes=(*contents.notes, *notes), dropped=(*contents.dropped, *dropped),
    )  # fmt: skip


def _grid(contents: Contents, long: Long, choices: Choices) -> _Grid:
    text = values.clean(contents.column(long.id), NO_WORDS)
    labels = text.drop_nulls().unique(maintain_order=True)
    number = dict(zip(labels.to_list(), range(len(labels)), strict=True))
    code = text.replace_strict(number, default=-1, return_dtype=pl.Int64).fill_null(-1).to_numpy().astype(np.int64)
    if len(labels) == len(text):
        raise DataError(
            f"Each row has a value of its own in {long.id!r}", "Several rows per series, with the same id",
            "Leave out --id if each row is a case of its own",
        )  # fmt: skip
    when = np.arange(len(text), dtype=np.float64)
    if long.time:
        when = clock_columns.times(contents, long.time, choices)
    code = np.where(np.isfinite(when), code, -1)
    known = np.flatnonzero(code >= 0)
    order = known[np.lexsort((when[known], code[known]))]
    step = steps.step_of(when[known], code[known]) if long.time else 0.0
    place, notes = np.zeros(len(text), dtype=np.int64), []
    starts = np.searchsorted(code[order], np.arange(len(labels)))
    rank = np.arange(len(order)) - starts[code[order]]
    place[order] = rank
    shared = steps.shared_rows(when[known], code[known])
    ticks = _ticks(when, code, order, step) if step > 0 and not shared else rank
    apart = len(np.unique(np.stack([code[order], ticks]), axis=1).T) == len(order)  # no row would hide another
    even = step > 0 and not shared and apart and int(ticks.max(initial=0)) < SPARSE * (int(rank.max(initial=0)) + 1)
    if shared:
        notes.append(f"{shared:,} rows have the moment of another row of their series: each is a step of its own.")
    elif even:
        place[order] = ticks
        word = steps.in_words(step, dated=clock_columns.is_dated(contents, long.time))
        notes.append(f"The series go on by one {word}; a place without a row is a missing value.")
    elif long.time:
        notes.append("The moments are not evenly spaced: a step of the series is a row, however long it took.")
    return _Grid(code, place, tuple(labels.to_list()), tuple(notes))


def _ticks(
    when: NDArray[np.float64], code: NDArray[np.int64], order: NDArray[np.int64], step: float
) -> NDArray[np.int64]:
    """Return how many steps after the first moment of its series each row of ``order`` is."""
    begin = np.full(int(code.max(initial=0)) + 1, np.inf)
    np.minimum.at(begin, code[order], when[order])
    ticks: NDArray[np.int64] = np.round((when[order] - begin[code[order]]) / step).astype(np.int64)
    return ticks


def _first_rows(code: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    first = np.full(count, -1, dtype=np.int64)
    known = np.flatnonzero(code >= 0)[::-1]
    first[code[known]] = known
    return first


def _channel(numbers: NDArray[np.float64], grid: _Grid) -> NDArray[np.float32]:
    out = np.full(grid.shape, np.nan, dtype=np.float32)
    known = grid.code >= 0
    with np.errstate(over="ignore"):
        out[grid.code[known], grid.place[known]] = numbers[known]
    return np.where(np.isfinite(out), out, np.float32(np.nan))


def _counts(column: pl.Series, code: NDArray[np.int64]) -> pl.DataFrame:
    """Return the series with more than one value in a column; missing ones do not count."""
    frame = pl.DataFrame({"code": code, "value": column}).drop_nulls().filter(pl.col("code") >= 0)
    return frame.group_by("code").agg(pl.col("value").n_unique()).filter(pl.col("value") > 1)


def _filled(column: pl.Series, code: NDArray[np.int64], count: int) -> pl.Series:
    """Return the first known value of each series."""
    known = np.flatnonzero((code >= 0) & column.is_not_null().to_numpy())
    first = _first_rows(np.where(np.isin(np.arange(len(code)), known), code, -1), count)
    rows = pl.Series(first)
    return column.gather(rows.set(rows < 0, None))


def _answer(column: pl.Series, grid: _Grid, first: NDArray[np.int64], name: str) -> pl.Series:
    many = _counts(column, grid.code)
    if many.height:
        shown = ", ".join(repr(grid.labels[i]) for i in sorted(many["code"].to_list())[:3])
        raise DataError(
            f"{many.height:,} series have several answers in {column.name!r} ({shown} …)",
            f"One answer per {name!r}", "To predict the value at each moment from earlier ones: --lags instead of --id",
        )  # fmt: skip
    return _filled(column, grid.code, len(first))
