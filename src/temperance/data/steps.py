"""Steps of time: how far apart the rows of a series are, and which row is so many steps before another."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from temperance.data.base import Contents
from temperance.data.guides import NO_WORDS
from temperance.data.values import clean
from temperance.records.errors import DataError

REGULAR = 0.98  # share of distances that have to be whole steps
FEW_SHARED = 0.05  # share of rows up to which doubled moments are rather rows to mend than several series
NEAR = 0.25  # of a step: a row this near to the moment so many steps before is the one meant
CHANGES = (3, 4, 9, 10, 11)  # months in which clocks go back, on either half of the globe
WORDS = ((365, "year"), (7, "week"), (1, "day"), (1 / 24, "hour"), (1 / 1440, "minute"))

Codes = NDArray[np.int64]


def step_of(when: NDArray[np.float64], codes: Codes, *, dated: bool = False) -> float:
    """Return the commonest distance of neighbours, where nearly all are whole multiples of it; else 0.

    Months are not equally long: where all ``dated`` moments stand at one day of their month (or all at its end), the
    distance is counted in months and returned below 0: −1 is a month, −3 a quarter.
    Shapes: when (b,) of known moments · codes (b,) of the series that each row belongs to.
    """
    months = months_of(when) if dated else None
    if months is not None:
        step = _even_step(months, codes)
        if step >= 1:
            return -step
    return _even_step(when, codes)


def months_of(when: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """Return months since 1970-01 of moments (b,) that all stand at one day of the month, or at its end; else None."""
    if not len(when):
        return None
    days = np.floor(when)
    months = _month(days)
    day = days - months.astype("datetime64[D]").astype(np.int64)
    left = (months + 1).astype("datetime64[D]").astype(np.int64) - days
    one_day = np.ptp(day) == 0 or np.ptp(left) == 0
    return months.astype(np.int64).astype(np.float64) if one_day and np.ptp(when - days) < 1e-6 else None


def _month(days: NDArray[np.float64]) -> NDArray[np.datetime64]:
    return days.astype(np.int64).astype("datetime64[D]").astype("datetime64[M]")


def _even_step(when: NDArray[np.float64], codes: Codes) -> float:
    order = np.lexsort((when, codes))
    gaps = np.diff(when[order])[np.diff(codes[order]) == 0]
    gaps = gaps[gaps > 0]
    if not len(gaps):
        return 0.0
    unique, counts = np.unique(np.round(gaps * 86_400), return_counts=True)
    step = float(unique[counts.argmax()]) / 86_400
    if step <= 0:
        values, counts = np.unique(gaps, return_counts=True)
        step = float(values[counts.argmax()])
    whole = np.abs(gaps / step - np.round(gaps / step)) < 0.02
    return step if whole.mean() >= REGULAR and (gaps / step >= 0.98).all() else 0.0


def earlier(when: NDArray[np.float64], codes: Codes, lag: int, step: float) -> NDArray[np.int64]:
    """Return the row that is ``lag`` steps before each row in its series, or −1 where there is none.

    With ``step`` 0 a step is a row in the order of time; else it is the row nearest to the moment so many steps before,
    within ``NEAR`` of a step; below 0 it counts months of the calendar. Moments are compared within a series, so series
    may start at other minutes. Of two rows at one moment the first in the file is taken.
    Shapes: (b,), (b,) → (b,); rows without a moment have none.
    """
    found = np.full(len(when), -1, dtype=np.int64)
    known = np.flatnonzero(np.isfinite(when))
    if step < 0:
        months = np.full(len(when), np.nan)
        months[known] = _month(np.floor(when[known])).astype(np.int64)
        when, step = months, -step
    order = known[np.lexsort((when[known], codes[known]))]
    if step <= 0:
        same = codes[order][lag:] == codes[order][:-lag] if lag < len(order) else np.zeros(0, dtype=bool)
        found[order[lag:][same]] = order[: len(order) - lag][same]
        return found
    for own in np.split(order, np.flatnonzero(np.diff(codes[order])) + 1):
        moments, wanted = when[own], when[own] - lag * step
        after = np.searchsorted(moments, wanted)
        nearest = np.clip(after, 0, len(own) - 1)
        below = np.clip(after - 1, 0, len(own) - 1)
        nearest = np.where(np.abs(moments[below] - wanted) <= np.abs(moments[nearest] - wanted), below, nearest)
        hit = np.abs(moments[nearest] - wanted) < NEAR * step
        found[own[hit]] = own[nearest[hit]]
    return found


def series_codes(contents: Contents, by: str) -> Codes:
    """Return the number of the series of each row, (b,); all 0 where ``by`` is empty."""
    if not by:
        rows = contents.frame.lazy().select(pl.len()).collect().item()
        return np.zeros(int(rows), dtype=np.int64)
    text = clean(contents.column(by), NO_WORDS).fill_null("")
    return np.asarray(text.rank("dense").cast(pl.Int64).to_numpy(), dtype=np.int64)


def refuse_shared(contents: Contents, when: NDArray[np.float64], codes: Codes, by: str) -> tuple[str, ...]:
    """Refuse several rows of one series at one moment: when (b,), codes (b,).

    Returns:
        A sentence where they are the hour that comes twice when clocks go back, and what was made of it; or none.

    Raises:
        DataError: there are others; it names a column that tells them apart, if one does.

    """
    shared = shared_rows(when, codes)
    if not shared:
        return ()
    doubled = clocks_back(when, codes)
    if doubled:
        return (doubled,)
    apart = tells_apart(contents, when)
    remedy = f"Name the series: --by {apart}" if apart else "Name the column that tells the series apart with --by"
    if not apart and shared <= FEW_SHARED * len(when):
        remedy += (
            "; or leave out the rows that are there twice. An hour that comes twice when clocks go back is told apart "
            "by its offset (2024-10-27T02:00+02:00), or in UTC"
        )
    raise DataError(
        f"{shared:,} rows have the same moment as another row" + (f" with the same {by!r}" if by else ""),
        "One row per moment in each series, or earlier values are not defined", remedy,
    )  # fmt: skip


def clocks_back(when: NDArray[np.float64], codes: Codes) -> str:
    """Say that all rows with the moment of another one are in an hour that comes twice; empty where some are not.

    Such hours are those that zones double: on a Sunday before 4 o'clock or a Saturday from 23 on, in March, April or
    from September to November, at most one a day, each moment twice. Shapes: when (b,), codes (b,).
    """
    known = np.isfinite(when)
    moments, counts = np.unique(np.stack([codes[known], when[known]], axis=1), axis=0, return_counts=True)
    twice = moments[counts > 1, 1]
    gaps = np.diff(moments[:, 1])[np.diff(moments[:, 0]) == 0]
    if not len(twice) or counts.max() > 2 or not len(gaps) or np.median(gaps) > 1.01 / 24:
        return ""
    days = np.floor(twice + 1e-9)
    hours = (twice - days) * 24.0
    dates = days.astype(np.int64).astype("datetime64[D]")
    month = dates.astype("datetime64[M]").astype(np.int64) % 12 + 1
    weekday = (days.astype(np.int64) + 3) % 7
    night = ((weekday == 6) & (hours < 4)) | ((weekday == 5) & (hours > 22.99))
    spread = [np.ptp(hours[days == day]) for day in np.unique(days)]
    if not (night & np.isin(month, CHANGES)).all() or max(spread) >= 1.0:
        return ""
    stamp = str(np.datetime64(0, "s") + np.timedelta64(round(float(twice.min()) * 86_400), "s")).replace("T", " ")[:16]
    return (
        f"{len(twice):,} moments stand twice, in the hour that comes twice when clocks go back (such as {stamp}). Of "
        "two such rows the first in the file counts as the earlier value of later rows, the second of none; both are "
        "used. To tell them apart, write moments with their offset (2024-10-27T02:00+02:00) or in UTC."
    )


def shared_rows(when: NDArray[np.float64], codes: Codes) -> int:
    """Return how many rows share series and moment with an earlier one: (b,), (b,) → a count."""
    known = np.isfinite(when)
    pairs = np.stack([codes[known].astype(np.float64), when[known]], axis=1)
    return int(known.sum()) - len(np.unique(pairs, axis=0))


def tells_apart(contents: Contents, when: NDArray[np.float64]) -> str:
    """Return the column with the fewest values that gives each row of a moment (b,) another one; or empty."""
    found: list[tuple[int, str]] = []
    for name, kind in contents.frame.collect_schema().items():
        if kind.is_nested() or kind.is_float():
            continue
        column = contents.column(name)
        count = column.n_unique()
        if 1 < count <= len(column) // 3 and not shared_rows(when, series_codes(contents, name)):
            found.append((count, name))
    return min(found)[1] if found else ""


def in_words(step: float, *, dated: bool) -> str:
    """Return a step of days (or of plain numbers) in words: ``hour``, ``30 minutes``, ``month``; ``row`` for 0."""
    if step < 0:
        months, word = (round(-step / 12), "year") if -step % 12 == 0 else (round(-step), "month")
        return word if months == 1 else f"{months} {word}s"
    if not step:
        return "row"
    if not dated:
        return f"step of {step:g}"
    for size, word in WORDS:
        count = step / size
        if count >= 0.99 and abs(count - round(count)) < 0.01:
            return word if round(count) == 1 else f"{round(count)} {word}s"
    return f"{step:g} units"
