"""Moments that are spread over several columns: year, month, day, hour; or a date and an hour."""

from __future__ import annotations

import re

import numpy as np
import polars as pl
from numpy.typing import NDArray

from temperance.data.base import Contents
from temperance.data.choices import AS_FOUND, Choices
from temperance.data.guides import moments
from temperance.data.judge import judge
from temperance.records.errors import DataError

JOIN = "+"
NAMES = {
    "year": ("year", "yr", "yyyy", "jahr"),
    "month": ("month", "mnth", "mon", "mm", "monat"),
    "day": ("day", "dd", "mday", "dayofmonth", "tag"),
    "hour": ("hour", "hr", "hh", "stunde"),
    "minute": ("minute", "min", "mi"),
}
RANGES = {"year": (1000, 2999), "month": (1, 12), "day": (1, 31), "hour": (0, 23), "minute": (0, 59)}


def times(contents: Contents, name: str, choices: Choices = AS_FOUND) -> NDArray[np.float64]:
    """Return the moments (b,) of a column, or of columns joined by ``+``; NaN = missing.

    Raises:
        DataError: there is no such column, or its values are no moments or parts of one.

    """
    if JOIN not in name or name in contents.names:
        return moments(contents.column(name), choices.of(name))
    parts = [part.strip() for part in name.split(JOIN)]
    first = contents.column(parts[0])
    if part_of(parts[0]) is None:
        days = np.floor(moments(first, choices.of(parts[0])))
        return days + _clock({part_of(p) or "hour": _numbers(contents.column(p)) for p in parts[1:]}, len(days))
    found = {_named(part): _numbers(contents.column(part)) for part in parts}
    for part, found_numbers in found.items():
        low, high = RANGES[part]
        known = found_numbers[np.isfinite(found_numbers)]
        if not len(known) or known.min() < low or known.max() > high or (known != np.floor(known)).any():
            raise DataError(
                f"The {part} in --time {name} holds {known[:3].tolist()} and others",
                f"Whole numbers from {low} to {high}", "Name the columns of the moment: year+month+day+hour",
            )  # fmt: skip
    return _days(found) + _clock(found, contents.column(parts[0]).len())


def is_dated(contents: Contents, name: str) -> bool:
    """Tell whether a column, or columns joined by ``+``, hold dates and no plain numbers."""
    return name not in contents.names or judge(contents.column(name).drop_nulls().head(1000)).kind == "date"


def part_of(name: str) -> str | None:
    """Return which part of a moment a column's name says, or None."""
    word = re.sub(r"[^a-z]", "", name.lower())
    return next((part for part, names in NAMES.items() if word in names), None)


def find(contents: Contents) -> str:
    """Return columns that look like one moment, joined by ``+``; empty where there are none."""
    named: dict[str, str] = {}
    for name in contents.names:
        part = part_of(name)
        if part is not None and part not in named and _fits(contents.column(name), part):
            named[part] = name
    if "year" in named and "month" in named and ("day" in named or "hour" not in named):
        return JOIN.join(named[part] for part in NAMES if part in named)
    if "hour" in named and "year" not in named:
        date = next((name for name in contents.names if _whole_days(contents.column(name))), None)
        if date is not None:
            return JOIN.join([date, *(named[part] for part in ("hour", "minute") if part in named)])
    return ""


def found_note(contents: Contents, name: str) -> str:
    """Say which columns look like one moment, what that would be, and what they are now; empty where it is none."""
    try:
        when = times(contents, name)
    except DataError:
        return ""
    known = when[np.isfinite(when)]
    if len(known) < 0.99 * len(when):
        return ""
    shown = name.split(JOIN)
    first, last = (moment(float(end)) for end in (known.min(), known.max()))
    return (
        f"The columns {', '.join(map(repr, shown[:-1]))} and {shown[-1]!r} look like one moment, {first} to {last}. "
        f"They are read as columns of their own, and rows are split at random. To split by the moment: --time {name}."
    )


def moment(days: float) -> str:
    """Write days since 1970-01-01 as a date, with the time of day where it has one."""
    stamp = np.datetime64(0, "s") + np.timedelta64(round(days * 86_400), "s")
    text = str(stamp).replace("T", " ")
    return text[:10] if text.endswith("00:00:00") else text[:16]


def _named(name: str) -> str:
    part = part_of(name)
    if part is None:
        raise DataError(
            f"{name!r} in --time is no part of a moment", "Columns named year, month, day, hour; or a date first",
            "Rename the column, or name one column with the whole moment",
        )  # fmt: skip
    return part


def _days(found: dict[str, NDArray[np.float64]]) -> NDArray[np.float64]:
    year, month = found.get("year"), found.get("month")
    if year is None or month is None:
        raise DataError("--time without a year and a month", "year+month, year+month+day …", "Name all its columns")
    day = found.get("day", np.ones_like(year))
    known = np.isfinite(year) & np.isfinite(month) & np.isfinite(day)
    whole = [np.where(known, part, 1).astype(np.int64) for part in (year, month, day)]
    months = (whole[0] - 1970) * 12 + whole[1] - 1
    starts = months.astype("datetime64[M]")
    days = starts.astype("datetime64[D]").astype(np.int64) + whole[2] - 1
    inside = days < (starts + 1).astype("datetime64[D]").astype(np.int64)  # no 30 February
    return np.where(known & inside, days.astype(np.float64), np.nan)


def _clock(found: dict[str, NDArray[np.float64]], rows: int) -> NDArray[np.float64]:
    none = np.zeros(rows)
    part: NDArray[np.float64] = found.get("hour", none) / 24.0 + found.get("minute", none) / 1440.0
    return part


def _numbers(series: pl.Series) -> NDArray[np.float64]:
    return np.asarray(series.cast(pl.Float64, strict=False).fill_null(np.nan).to_numpy(), dtype=np.float64)


def _fits(series: pl.Series, part: str) -> bool:
    found = _numbers(series)
    known = found[np.isfinite(found)]
    low, high = RANGES[part]
    if len(known) < len(found) or not len(known) or (known != np.floor(known)).any():
        return False
    return bool(low <= known.min() and known.max() <= high and known.min() < known.max())


def _whole_days(series: pl.Series) -> bool:
    """Tell whether a column holds dates without a time of day, several rows each."""
    if series.dtype.is_numeric() or series.dtype in (pl.Boolean, pl.Time) or series.dtype.is_nested():
        return False
    reader = judge(series.head(1000))
    if reader.kind != "date" or reader.found is None:
        return False
    days = reader.found.values[np.isfinite(reader.found.values)]
    return bool(len(days) and (days == np.floor(days)).all() and len(np.unique(days)) < 0.5 * len(days))
