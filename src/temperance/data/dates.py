"""Find the pattern of a column of dates: of those that fit, the one with the fewest misfits."""

from __future__ import annotations

import re
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from temperance.data import values
from temperance.records.moments import (
    CLOCK,
    DAY_FORMATS,
    DENSE,
    EPOCH_MICROSECONDS,
    EPOCH_MILLISECONDS,
    EPOCH_SECONDS,
    EXCEL,
    QUARTER,
)
from temperance.records.plainer import LASTING, plain_moment

DATE_SHARE = 0.9  # share of values that must follow one date pattern
SAMPLE = 2000  # values of the cheap look that comes first
_PIECES = {
    "%G": r"\d{4}",
    "%V": r"\d\d",
    "%u": r"[1-7]",
    "%d": r"\d{1,2}",
    "%m": r"\d{1,2}",
    "%Y": r"\d{4}",
    "%y": r"\d{2}",
}
_PIECES |= {"%b": r"[^\W\d_]{3,5}\.?", "%B": r"[^\W\d_]{3,10}\.?"}
_OTHERS = {
    "iso": r"^(?:\d{4}-\d{1,2}-\d{1,2}(?:$|[T ])|\d{8}T\d{4})",
    QUARTER: r"^(?:\d{4}[-/ ]?[Qq][1-4]|[Qq][1-4][-/ ]?\d{4})$",
    CLOCK: LASTING + r"|^\d{1,4}:[0-5]\d(?:(?::[0-5]\d)?(?:[.,]\d+)?)?\s?(?:[AaPp]\.?[Mm]\.?)?$",
}
_NAME = re.compile(
    r"(^|[_\W])(time|date|ts|timestamp|epoch|stamp|created|updated|unix|when|at)($|[_\W])|[a-z](At|Time|Date)$", re.I
)


class Pattern(NamedTuple):
    """A pattern of dates.

    Attributes:
        pattern: one of ``records.moments.PATTERNS``; empty: no dates.
        misfits: count of values that do not follow it.
        other: a second pattern that fits as well and gives other days, or empty.
        found: the column read so, where that was needed to find the pattern.

    """

    pattern: str = ""
    misfits: int = 0
    other: str = ""
    found: values.Numbers | None = None


def date_pattern(text: pl.Series) -> Pattern:
    """Return the pattern that the text follows best."""
    known = text.drop_nulls()
    sample = known.gather_every(max(1, len(known) // SAMPLE))
    if sample.str.contains(r"[\p{L}\[]").any():
        sample = pl.Series(sample.name, [plain_moment(word) for word in sample.to_list()], dtype=pl.String)
    if not len(sample) or sample.str.contains(r"\d").mean() < DATE_SHARE:
        return Pattern()
    fits = _fitting(sample, sample)
    if not fits:
        return Pattern()
    if len(fits) == 1 and len(known) > len(sample):
        pattern = fits[0][2]
        found = values.days(text, pattern=pattern, cleaned=True)
        fitting = len(found.words) <= (1 - DATE_SHARE) * len(known)
        return Pattern(pattern, len(found.words), found=found) if fitting else Pattern()
    fits = _fitting(sample, known) if len(known) > len(sample) else fits
    if not fits:  # of all cells too few follow it
        return Pattern()
    misfits, _, best = min(fits)
    other = next((one for count, _, one in fits if one != best and count == misfits and _differ(known, best, one)), "")
    return Pattern(best, misfits, other)


def _fitting(sample: pl.Series, known: pl.Series) -> list[tuple[int, int, str]]:
    """Return misfits among ``known``, rank and name of the patterns that ``sample`` and ``known`` follow."""
    fits: list[tuple[int, int, str]] = []
    for pattern in ("iso", *DAY_FORMATS, QUARTER, CLOCK):
        if sample.str.contains(shape(pattern)).mean() < DATE_SHARE:
            continue
        misfits = _misfits(sample, pattern)
        if misfits <= (1 - DATE_SHARE) * len(sample):
            misfits = _misfits(known, pattern) if len(known) > len(sample) else misfits
            if misfits <= (1 - DATE_SHARE) * len(known):
                fits.append((misfits, len(fits), pattern))
        if fits and (pattern == "iso" or (fits[-1][0] == 0 and len(fits) > 1)):
            break
    return fits


def number_pattern(name: str, found: NDArray[np.float64]) -> Pattern:
    """Return the pattern of whole numbers (b,) that are days (``20230104``) or seconds since 1970, or none."""
    if len(found) < 2 or not (found == np.floor(found)).all():
        return Pattern()
    low, high = float(found.min()), float(found.max())
    if low >= 19_000_101 and high <= 21_001_231 and len(np.unique(found)) > 1:
        month, day = found // 100 % 100, found % 100
        if ((month >= 1) & (month <= 12) & (day >= 1) & (day <= 31)).all():
            return Pattern("%Y%m%d", 0, "whole numbers")
    if low >= 19_000_101_000_000 and high <= 21_001_231_235_959 and _clocks(found):
        return Pattern(DENSE, 0, "whole numbers")
    named = bool(_NAME.search(name))
    if named and low >= 20_000 and high <= 60_000 and low < high:  # 1954 to 2064
        return Pattern(EXCEL, 0, "whole numbers")
    for pattern, unit in ((EPOCH_SECONDS, 1.0), (EPOCH_MILLISECONDS, 1e3), (EPOCH_MICROSECONDS, 1e6)):
        since = 1e8 if named else 1e9
        if since * unit <= low and high <= 2.1e9 * unit and low < high:
            return Pattern(pattern, 0, "whole numbers")
    return Pattern()


def _clocks(found: NDArray[np.float64]) -> bool:
    """Tell whether the digits of all numbers (b,) are month, day, hour, minute and second."""
    limits = ((1e8, 1, 12), (1e6, 1, 31), (1e4, 0, 23), (1e2, 0, 59), (1.0, 0, 59))
    return all(bool(((part := found // by % 100) >= low).all() and (part <= high).all()) for by, low, high in limits)


def shape(pattern: str) -> str:
    """Return what a text of the pattern looks like, as a regular expression."""
    if pattern in _OTHERS:
        return _OTHERS[pattern]
    body = re.sub(r"%[dmYybBGVu]", lambda found: _PIECES[found.group()], pattern.replace(".", r"\."))
    return r"^(?:[^\W\d_]{2,10}\.?,\s+)?" + body + r"(?:$|[T ])"


def _misfits(text: pl.Series, pattern: str) -> int:
    """Count the values that do not follow the pattern; where there are no letters by the fast road alone."""
    letters = "%b" in pattern.lower() or text.head(SAMPLE).str.contains(r"\p{L}").any()
    if pattern == "iso" or letters or "%d" not in pattern:
        return len(values.days(text, pattern=pattern).words)
    return int(values.parse_moments(text.str.replace(r"\s?(UTC|GMT|Z)$", ""), pattern).null_count())


def _differ(text: pl.Series, first: str, second: str) -> bool:
    sample = text.head(SAMPLE)
    one, two = (values.days(sample, pattern=pattern).values for pattern in (first, second))
    return not np.array_equal(one, two, equal_nan=True)
