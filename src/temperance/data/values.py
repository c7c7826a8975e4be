"""Read the values of a whole column: a fast road for what is written plainly, ``records`` for every other cell."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from temperance.records.cells import DIGITS, INVISIBLE, MISSING_WORDS, WEAK_MISSING_WORDS, NumberStyle, sentinels
from temperance.records.moments import (
    CLOCK,
    COUNTS,
    DENSE,
    HOUR_FORMATS,
    QUARTER,
    days_of_number,
    parse_days,
)

_ISO = (
    *("%Y-%m-%d", "%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M:%S%.f"),
    *("%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%S%.f"),
    *("%Y-%m-%d %I:%M %p", "%Y-%m-%d %I:%M:%S %p"),
)
_ISO_ZONED = ("%Y-%m-%dT%H:%M:%S%.f%#z", "%Y-%m-%d %H:%M:%S%.f%#z", "%Y-%m-%dT%H:%M%#z")
_SLOW = frozenset(
    {CLOCK, QUARTER, *COUNTS, DENSE, "%Y%m%d", "%Y-%m", "%m/%Y", "%b-%y", "%G-W%V-%u"}
)  # Polars wants days
_GROUPED = {".": r"^[+-]?[1-9]\d{0,2}(,\d{3})+(\.\d*)?$", ",": r"^[+-]?[1-9]\d{0,2}(\.\d{3})+(,\d*)?$"}
Missing = Collection[str] | None
PLAIN = NumberStyle()
LIKELY = 100  # cells that say which format of moments is tried first
YEAR_1000 = -354_285  # its first day, in days since 1970
LONG, FEW_TEXTS = 100_000, 300  # rows from which, and different texts of 1,000 up to which, each is looked at once


@dataclass(frozen=True, eq=False)
class Numbers:
    """A column as numbers.

    Attributes:
        values: (b,) float64, NaN = missing, a word or an infinite value.
        words: texts that are neither a number nor a word for "missing".
        infinite: count of infinite values.

    """

    values: NDArray[np.float64]
    words: pl.Series
    infinite: int

    @cached_property
    def finite(self) -> NDArray[np.float64]:
        """The values that are not missing."""
        known = np.isfinite(self.values)
        return self.values if known.all() else self.values[known]


def is_number_type(series: pl.Series) -> bool:
    """Tell whether the column is stored as numbers (booleans are not)."""
    return bool(series.dtype.is_numeric())


def is_date_type(series: pl.Series) -> bool:
    """Tell whether the column is stored as dates or moments."""
    return series.dtype == pl.Date or isinstance(series.dtype, pl.Datetime)


def clean(series: pl.Series, missing: Missing = None, *, weak: bool = False) -> pl.Series:
    """Return the column as text without blanks at its ends; words for "missing" become null.

    Args:
        series: the column.
        missing: the words, in lower case; None: the usual ones.
        weak: with the words of columns of numbers and dates.

    """
    text = series if series.dtype == pl.String else series.cast(pl.String)
    words = MISSING_WORDS | WEAK_MISSING_WORDS if weak else MISSING_WORDS
    return _each_once(text, lambda some: _cleaned(some, words if missing is None else frozenset({"", *missing})))


def _cleaned(text: pl.Series, words: frozenset[str]) -> pl.Series:
    text = text.str.strip_chars()
    if (text.str.len_bytes() != text.str.len_chars()).any() and text.str.contains(f"[{INVISIBLE}]").any():
        text = text.str.replace_all(f"[{INVISIBLE}]", "").str.strip_chars()
    if text.str.starts_with('"').any() or text.str.starts_with('="').any():  # ="00123" is text in a spreadsheet
        text = text.str.replace(r'^=?"(.*)"$', "$1")
    return _blank(text, words)


def _each_once(text: pl.Series, change: Callable[[pl.Series], pl.Series]) -> pl.Series:
    """Change a column of text; where a sample of a long one repeats, each different text is changed once."""
    if len(text) < LONG or text.gather_every(max(1, len(text) // 1000)).n_unique() > FEW_TEXTS:
        return change(text)
    different = text.unique().drop_nulls()
    if len(different) > len(text) // 20:
        return change(text)
    return text.replace_strict(different, change(different), default=None).alias(text.name)


def numbers(series: pl.Series, style: NumberStyle = PLAIN, missing: Missing = None) -> Numbers:
    """Read a column as numbers (text, booleans, durations and times of day included)."""
    empty = pl.Series([], dtype=pl.String)
    if isinstance(series.dtype, pl.Duration) or series.dtype == pl.Time:  # in hours
        return _finite(series.cast(pl.Int64).cast(pl.Float64) / _units_per_hour(series.dtype), empty)
    if is_number_type(series) or series.dtype == pl.Boolean:
        return _finite(_without(series.cast(pl.Float64), sentinels(missing)), empty)
    text = series if series.dtype == pl.String and missing is None else clean(series, missing, weak=True)
    found = _without(_plainly(text, style), sentinels(missing))  # -999 stands for -999.0 too
    return _with_the_rest(text, found, lambda word: style.read(word, missing), missing)


def plain_numbers(text: pl.Series, style: NumberStyle) -> Numbers | None:
    """Read a column where each cell is plain in this style, empty, or a word for "missing"; None where one is not."""
    found = _plainly(text, style)
    if found.null_count() == text.null_count():
        return _finite(found, text.clear())
    left = text.filter(found.is_null() & text.is_not_null())
    return None if clean(left, weak=True).null_count() < len(left) else _finite(found, left.clear())


def _plainly(text: pl.Series, style: NumberStyle) -> pl.Series:
    """Read the cells that are written without anything unusual; null for the others."""
    plain = text
    if style.decimal == ",":
        plain = text.str.replace(",", ".", literal=True)
        same = plain == text  # a cell with a comma and a point has two points now, which is no number
        if text.filter(same).str.contains(".", literal=True).any():
            plain = pl.select(pl.when(~text.str.contains(".", literal=True)).then(plain)).to_series()
    found = plain.cast(pl.Float64, strict=False)
    if style.grouped and found.null_count() > text.null_count():
        other = "," if style.decimal == "." else "."
        groups = _matching(text, _GROUPED[style.decimal]).str.replace_all(other, "", literal=True)
        found = found.fill_null(groups.str.replace(",", ".", literal=True).cast(pl.Float64, strict=False))
    return found


def _matching(text: pl.Series, pattern: str) -> pl.Series:
    return pl.select(pl.when(text.str.contains(pattern)).then(text)).to_series()


def _with_the_rest(text: pl.Series, found: pl.Series, read: Callable[[str], float], missing: Missing) -> Numbers:
    """Ask ``read`` about each different cell that ``found`` lacks; those that it refuses are the words."""
    if found.null_count() == text.null_count():
        return _finite(found, text.clear())
    lacks = found.is_null() & text.is_not_null()
    left = clean(text.filter(lacks), missing, weak=True)
    if not len(left):
        return _finite(found, left)
    values: dict[str, float] = {}
    for word in left.unique().drop_nulls().to_list():
        try:
            values[word] = read(word)
        except (ValueError, OverflowError):
            continue
    out = array(found)
    out[lacks.to_numpy()] = array(left.replace_strict(values, default=None, return_dtype=pl.Float64))
    return _finite(pl.Series(out), left.filter(left.is_not_null() & ~left.is_in(list(values))))


def days(series: pl.Series, *, pattern: str = "iso", missing: Missing = None, cleaned: bool = False) -> Numbers:
    """Read a column as days since 1970-01-01 (UTC).

    Args:
        series: the column.
        pattern: one of ``records.moments.PATTERNS``.
        missing: words for "missing"; None: the usual ones.
        cleaned: it comes from ``clean``: only what is not read at once is cleaned again.

    """
    empty = pl.Series([], dtype=pl.String)
    if is_date_type(series):
        moments = array(_as_days(series))
        return Numbers(np.where(_no_day(moments), np.nan, moments), empty, 0)
    if is_number_type(series):
        plain = _finite(_without(series.cast(pl.Float64), sentinels(missing)), empty)
        if pattern in COUNTS:
            return replace(plain, values=np.asarray(days_of_number(plain.values, pattern)))  # type: ignore[arg-type]
        if pattern not in ("%Y%m%d", DENSE):
            return plain
        series = series.cast(pl.Int64, strict=False)
    text = series if cleaned else clean(series, missing, weak=True)
    found = parse_moments(text, pattern)
    return _with_the_rest(text, found, lambda word: parse_days(word, pattern=pattern, missing=missing), missing)


def parse_moments(text: pl.Series, pattern: str) -> pl.Series:
    """Return days since 1970-01-01 as Float64, null where the text does not follow ``pattern`` in a usual way."""
    if pattern in _SLOW:
        return pl.Series(text.name, [None] * len(text), dtype=pl.Float64)
    return _each_once(text, lambda some: _moments(some, pattern))


def _moments(text: pl.Series, pattern: str) -> pl.Series:
    iso = pattern in ("", "iso")
    formats = (*_ISO, *_ISO_ZONED) if iso else tuple(pattern + hours for hours in HOUR_FORMATS)
    if "%Y" in pattern or iso:
        quick = _in_one_form(text, formats)
        if quick is not None:
            return quick
        text = _matching(text, r"\d{4}")
    elif "%y" in pattern:
        text = pl.select(pl.when(~text.str.contains(r"\d{4}")).then(text)).to_series()
    out = np.full(len(text), np.nan)
    place = np.flatnonzero(text.is_not_null().to_numpy())
    left = text.drop_nulls()
    for form in _likely_first(left, formats):
        if not len(left):
            break
        found = array(_as_days(_parsed(left, form)))
        found = np.where(_no_day(found), np.nan, found)  # the scalar reader says that it stands for none
        hit = np.isfinite(found)
        out[place[hit]] = found[hit]
        place, left = place[~hit], left.filter(pl.Series(~hit))
    return pl.Series(out).fill_nan(None)


def _in_one_form(text: pl.Series, formats: Sequence[str]) -> pl.Series | None:
    """Return the days of a column where one format reads each cell and all years have four digits, or None."""
    left = text.drop_nulls()
    if not len(left) or not left.head(LIKELY).str.contains(r"\d{4}").all():
        return None
    found = _parsed(text, _likely_first(left, formats)[0])
    if found.null_count() > text.null_count():
        return None
    days = _as_days(found)
    low, high = float(days.min()), float(days.max())  # type: ignore[arg-type]
    return days if low >= YEAR_1000 and not _no_day(np.array([high])).any() else None


def _no_day(days: NDArray[np.float64]) -> NDArray[np.bool_]:
    return (days < -718_797) | (days >= 2_567_655)  # before the year 2, from the year 9000 on


def _likely_first(text: pl.Series, formats: Sequence[str]) -> list[str]:
    sample = text.head(LIKELY)
    return sorted(formats, key=lambda form: _parsed(sample, form).null_count())


def _parsed(text: pl.Series, form: str) -> pl.Series:
    return text.str.to_datetime(form, strict=False, time_unit="us")


def categories(series: pl.Series, missing: Missing = None) -> pl.Series:
    """Return the column as categories in text, null = missing; whole numbers of a float column carry no point."""
    return labels(series, missing) if series.dtype in (pl.Float32, pl.Float64) else clean(series, missing)


def labels(series: pl.Series, missing: Missing = None, cleaned: pl.Series | None = None) -> pl.Series:
    """Return class labels as text, as they are written (``001`` stays); ``1.0`` and ``1`` are one class.

    ``cleaned`` is what ``clean`` made of the column, where that is known.
    """
    if series.dtype in (pl.Float32, pl.Float64):
        series = pl.select(pl.when(series.is_finite()).then(series)).to_series().alias(series.name)
    text = clean(series, missing) if cleaned is None else cleaned
    points = text.str.contains(r"^-?(0|[1-9]\d*)\.0*$")
    return text if not points.any() else text.str.replace(r"^(-?(?:0|[1-9]\d*))\.0*$", "$1")


def tally(known: pl.Series) -> pl.DataFrame:
    """Return ``value`` and ``count`` of the different cells."""
    return known.rename("value").value_counts(name="count")


def array(series: pl.Series) -> NDArray[np.float64]:
    """Return a Float64 column as float64, null = NaN.

    Shapes: (b,).
    """
    return np.array(_view(series), dtype=np.float64)


def _view(series: pl.Series) -> NDArray[np.float64]:
    """Return a Float64 column as float64 that must not be written to, null = NaN.

    Shapes: (b,).
    """
    found: NDArray[np.float64] = series.cast(pl.Float64).fill_null(float("nan")).to_numpy()
    return found


def _blank(text: pl.Series, words: frozenset[str]) -> pl.Series:
    numeric = any(DIGITS.fullmatch(word) for word in words)
    if not numeric and not (text.str.len_bytes() <= max(len(word) for word in words)).any():
        return text
    blank = text.str.to_lowercase().is_in(sorted(words))
    absent = [number for number in sentinels(words) if np.isfinite(number)]
    if absent:  # -999 stands for -999.0 too
        plain = _matching(text, f"^{DIGITS.pattern}$").cast(pl.Float64, strict=False)
        blank |= plain.is_in(sorted(absent)).fill_null(False)
    return pl.select(pl.when(~blank).then(text)).to_series() if blank.any() else text


def _without(values: pl.Series, absent: frozenset[float]) -> pl.Series:
    if not absent:
        return values
    return pl.select(pl.when(~values.is_in(sorted(absent))).then(values)).to_series()


def _finite(values: pl.Series, words: pl.Series) -> Numbers:
    out = _view(values)
    infinite = np.isinf(out)
    count = int(np.count_nonzero(infinite))
    if count:
        out = np.where(infinite, np.nan, out)
    return Numbers(out, words, count)


def _as_days(moments: pl.Series) -> pl.Series:
    if moments.dtype == pl.Date:
        return moments.cast(pl.Int32).cast(pl.Float64)
    return moments.dt.epoch("us").cast(pl.Float64) / 86_400_000_000.0


def _units_per_hour(kind: Any) -> float:
    unit = getattr(kind, "time_unit", None) or "ns"
    return {"ns": 3.6e12, "us": 3.6e9, "ms": 3.6e6}[unit]
