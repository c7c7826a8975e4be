"""Read the values of a whole column: numbers, dates, categories out of text, by the rules of ``records.rows``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from temperance.records.rows import HOUR_FORMATS, MISSING_WORDS, UNIT_SIGNS, WEAK_MISSING_WORDS

_ISO = (
    *("%Y-%m-%d", "%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S%.f"),
    *("%Y-%m-%d %I:%M %p", "%Y-%m-%d %I:%M:%S %p"),
)
_ISO_ZONED = ("%Y-%m-%dT%H:%M:%S%.f%#z", "%Y-%m-%d %H:%M:%S%.f%#z", "%Y-%m-%dT%H:%M%#z")


class Numbers(NamedTuple):
    """A column as numbers.

    Attributes:
        values: (b,) float64, NaN = missing, a word or an infinite value.
        words: texts that are neither a number nor a word for "missing".
        infinite: count of infinite values.

    """

    values: NDArray[np.float64]
    words: pl.Series
    infinite: int


def is_number_type(series: pl.Series) -> bool:
    """Tell whether the column is stored as numbers (booleans are not)."""
    return bool(series.dtype.is_numeric())


def is_date_type(series: pl.Series) -> bool:
    """Tell whether the column is stored as dates or moments."""
    return series.dtype == pl.Date or isinstance(series.dtype, pl.Datetime)


def clean(series: pl.Series) -> pl.Series:
    """Return the column as stripped text; words for "missing" become null."""
    text = series if series.dtype == pl.String else series.cast(pl.String)
    text = text.str.strip_chars()
    if text.str.starts_with('"').any():
        text = text.str.replace(r'^"(.*)"$', "$1")
    return _blank(text, MISSING_WORDS)


def numbers(series: pl.Series, *, decimal_comma: bool = False) -> Numbers:
    """Read a column as numbers (text, booleans, durations and times of day included)."""
    empty = pl.Series([], dtype=pl.String)
    if isinstance(series.dtype, pl.Duration) or series.dtype == pl.Time:  # in hours
        return _finite(series.cast(pl.Int64).cast(pl.Float64) / _units_per_hour(series.dtype), empty)
    if is_number_type(series) or series.dtype == pl.Boolean:
        return _finite(series.cast(pl.Float64), empty)
    values = series.cast(pl.Float64, strict=False) if series.dtype == pl.String else None
    if values is not None and not decimal_comma and values.null_count() == series.null_count():
        return _finite(values, empty)
    text = without_signs(_blank(clean(series), WEAK_MISSING_WORDS))
    if decimal_comma:
        marked = text.str.contains(",", literal=True)
        changed = text.str.replace_all(".", "", literal=True).str.replace(",", ".", literal=True)
        plain = changed.zip_with(marked.fill_null(False), text)
    else:
        plain = text.str.replace_all(",", "", literal=True) if text.str.contains(",", literal=True).any() else text
    values = plain.cast(pl.Float64, strict=False)
    return _finite(values, text.filter(values.is_null() & text.is_not_null()))


def without_signs(text: pl.Series) -> pl.Series:
    """Return the text without a currency sign or percent sign before or after a number."""
    return text.str.replace_all(UNIT_SIGNS.pattern, "") if text.str.contains(UNIT_SIGNS.pattern).any() else text


def days(series: pl.Series, *, pattern: str = "iso") -> Numbers:
    """Read a column as days since 1970-01-01 (UTC); ``pattern`` is ``iso`` or one of ``records.rows.DAY_FORMATS``."""
    empty = pl.Series([], dtype=pl.String)
    if is_date_type(series):
        return _finite(_as_days(series), empty)
    if is_number_type(series):
        return _finite(series.cast(pl.Float64), empty)
    text = _blank(clean(series), WEAK_MISSING_WORDS)
    moments = parse_moments(text, pattern)
    return _finite(moments, text.filter(moments.is_null() & text.is_not_null()))


def parse_moments(text: pl.Series, pattern: str) -> pl.Series:
    """Return days since 1970-01-01 as Float64, null where the text does not follow ``pattern``."""
    iso = pattern in ("", "iso")
    formats = (*_ISO, *_ISO_ZONED) if iso else tuple(pattern + hours for hours in HOUR_FORMATS)
    if "%Y" in pattern or iso:
        text = pl.select(pl.when(text.str.contains(r"\d{4}")).then(text)).to_series()
    elif "%y" in pattern:
        text = pl.select(pl.when(~text.str.contains(r"\d{4}")).then(text)).to_series()
    out = np.full(len(text), np.nan)
    place = np.flatnonzero(text.is_not_null().to_numpy())
    left = text.drop_nulls()
    for form in _likely_first(left, formats):
        if not len(left):
            break
        found = array(_as_days(_parsed(left, form)))
        hit = np.isfinite(found)
        out[place[hit]] = found[hit]
        place, left = place[~hit], left.filter(pl.Series(~hit))
    return pl.Series(out).fill_nan(None)


def _likely_first(text: pl.Series, formats: Sequence[str]) -> list[str]:
    sample = text.head(100)
    return sorted(formats, key=lambda form: _parsed(sample, form).null_count())


def _parsed(text: pl.Series, form: str) -> pl.Series:
    return text.str.to_datetime(form, strict=False, time_unit="us")


def categories(series: pl.Series, *, truth: bool) -> pl.Series:
    """Return the column as categories in text, null = missing; ``truth`` writes true and false in lower case."""
    if isinstance(series.dtype, pl.Float32 | pl.Float64) or series.dtype in (pl.Float32, pl.Float64):
        series = labels(series)
    text = clean(series)
    return text.str.to_lowercase() if truth else text


def labels(series: pl.Series) -> pl.Series:
    """Return class labels as text: whole numbers without a point (``1.0`` and ``1`` are one class)."""
    if series.dtype == pl.Boolean:
        return series.cast(pl.String)
    text = clean(series)
    values = series.cast(pl.Float64) if is_number_type(series) else text.cast(pl.Float64, strict=False)
    if values.null_count() + int(values.is_nan().sum() or 0) > text.null_count() + int(
        series.is_nan().sum() or 0 if series.dtype in (pl.Float32, pl.Float64) else 0
    ):
        truth = text.str.to_lowercase()
        return truth if set(truth.drop_nulls().unique()) <= {"true", "false"} else text
    finite = values.is_finite().fill_null(False)
    whole = finite & (values.fill_null(0.0).fill_nan(0.0).round() == values).fill_null(False) & (values.abs() < 2**53)
    as_int = values.zip_with(whole, pl.Series([0.0])).fill_null(0.0).cast(pl.Int64).cast(pl.String)
    shown = as_int.zip_with(whole, text)
    return pl.select(pl.when(finite).then(shown)).to_series()


def array(series: pl.Series) -> NDArray[np.float64]:
    """Return a Float64 column as float64, null = NaN.

    Shapes: (b,).
    """
    return np.asarray(series.cast(pl.Float64).fill_null(float("nan")).to_numpy(), dtype=np.float64)


def _blank(text: pl.Series, words: frozenset[str]) -> pl.Series:
    short = text.str.len_bytes() <= max(len(word) for word in words)
    if not short.any():
        return text
    blank = text.str.to_lowercase().is_in(sorted(words))
    return pl.select(pl.when(~blank).then(text)).to_series() if blank.any() else text


def _finite(values: pl.Series, words: pl.Series) -> Numbers:
    out = array(values)
    infinite = np.isinf(out)
    count = int(infinite.sum())
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
