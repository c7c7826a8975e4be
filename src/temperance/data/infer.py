"""Decide what a column is: numbers, categories, a date with its parts, or nothing that a model should see."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from temperance.data import values
from temperance.records.rows import DAY_FORMATS, WEAK_MISSING_WORDS, date_part
from temperance.records.schema import Column

MOSTLY = 0.9  # share of numbers from which a column with some words still counts as numeric
DATE_SHARE = 0.95  # share of values that must follow one date pattern
KEY_SHARE = 0.95  # share of different values from which a text column is taken for a key
KEY_ROWS = 20  # below this many rows no column is taken for a key
MANY = 1000  # above this many categories the ones seen once are left out of the vocabulary
MOST = 10_000  # largest vocabulary
_KEY_NAME = re.compile(
    r"(^|[_\s.-])(id|uid|uuid|guid|key|index|idx|no|nr|row|row_?number|row_?id)$|^column_1$|[a-z]I[dD]$"
)


@dataclass(frozen=True)
class Trait:
    """What a column is.

    Attributes:
        columns: the inputs that it gives; empty when it is left out.
        why: why it is left out, else empty.
        notes: plain sentences about how it was read.

    """

    columns: tuple[Column, ...] = ()
    why: str = ""
    notes: tuple[str, ...] = ()


def infer(series: pl.Series, *, plain: bool = False) -> Trait:
    """Decide what ``series`` is; ``plain`` columns (arrays without names) are never taken for keys or left out."""
    kind = series.dtype
    if series.null_count() == len(series):
        return Trait(why="It holds no values.")
    if kind.is_nested() or kind == pl.Binary or kind == pl.Object:
        return Trait(why=f"It holds {_plural(kind)}, which cannot be used as an input.")
    if values.is_date_type(series):
        return _date(series, "iso", plain=plain, notes=())
    if values.is_number_type(series) or isinstance(kind, pl.Duration) or kind == pl.Time:
        return _numeric(series, values.numbers(series), plain=plain)
    if kind == pl.Boolean:
        return _categorical(series, series.cast(pl.String), plain=plain)
    return _text(series, plain=plain)


def _text(series: pl.Series, *, plain: bool) -> Trait:
    text = values.clean(series)
    known = len(text) - text.null_count()
    if known == 0:
        return Trait(why="It holds no values.")
    comma = _decimal_comma(text)
    read = values.numbers(series, decimal_comma=comma)
    counted = int(np.isfinite(read.values).sum()) + read.infinite
    if counted and counted >= MOSTLY * (counted + len(read.words)) and not _is_code(text):
        return _numeric(series, read, plain=plain, comma=comma)
    pattern, notes = date_pattern(text)
    if pattern:
        return _date(series, pattern, plain=plain, notes=notes)
    trait = _categorical(series, text, plain=plain)
    if counted and trait.columns and read.words.n_unique() > 1 and counted >= 0.1 * known:
        note = (
            f"Column {series.name!r} mixes numbers ({counted:,}) and words ({len(read.words):,}): read as categories."
        )
        return Trait(trait.columns, trait.why, (*trait.notes, note))
    return trait


def _numeric(series: pl.Series, read: values.Numbers, *, plain: bool, comma: bool = False) -> Trait:
    name = series.name
    finite = read.values[np.isfinite(read.values)]
    if not len(finite):
        return Trait(why="It holds no usable numbers.")
    low, high = float(finite.min()), float(finite.max())
    integer = bool((finite == np.floor(finite)).all())
    if not plain and low == high and len(finite) == len(read.values):
        return Trait(why=f"It is constant (always {low:g}).")
    if not plain and integer and _is_key(name, finite, len(read.values)):
        return Trait(why="It looks like an identifier: a whole number that differs in every row.")
    notes = []
    if read.infinite:
        notes.append(f"Column {name!r} holds {read.infinite:,} infinite values: read as missing.")
    if len(read.words):
        notes.append(
            f"Column {name!r} is numeric but holds {len(read.words):,} words {_shown(read.words)}: read as missing."
        )
    elif series.dtype == pl.String and _weak_words(series):
        notes.append(f"Column {name!r} is numeric; {_shown(_weak_words(series))} is read as missing.")
    if comma:
        notes.append(f"Column {name!r} has decimal commas.")
    form = "," if comma else ""
    return Trait((Column(name, "numeric", name, integer=integer, low=low, high=high, format=form),), "", tuple(notes))


def _date(series: pl.Series, pattern: str, *, plain: bool, notes: tuple[str, ...]) -> Trait:
    name = series.name
    read = values.days(series, pattern=pattern)
    if not plain and np.isfinite(read.values).all() and read.values.min() == read.values.max():
        return Trait(why="It is constant (always the same date).")
    columns = [_part(name, "days", read.values, pattern)]
    for part in ("month", "weekday", "hour"):
        column = _part(name, part, date_part(read.values, part), pattern)
        if column.low != column.high:
            columns.append(column)
    parts = ", ".join(column.part for column in columns)
    said = [f"Column {name!r} is a date; its inputs are {parts}.", *notes]
    if len(read.words):
        said.append(f"Column {name!r}: {len(read.words):,} texts are no dates {_shown(read.words)}: read as missing.")
    return Trait(tuple(columns), "", tuple(said))


def _part(name: str, part: str, found: NDArray[np.float64], pattern: str) -> Column:
    finite = found[np.isfinite(found)]
    shown = name if part == "days" else f"{name}.{part}"
    integer = bool((finite == np.floor(finite)).all())
    low, high = float(finite.min()), float(finite.max())
    return Column(shown, "numeric", name, part, integer=integer, low=low, high=high, format=pattern)


def _categorical(series: pl.Series, text: pl.Series, *, plain: bool) -> Trait:
    name = series.name
    counts = text.drop_nulls().value_counts(name="count") if text.name != "count" else _counts(text)
    text_name = next(column for column in counts.columns if column != "count")
    unique, known = counts.height, len(text) - text.null_count()
    if not plain and unique == 1 and known == len(text):
        return Trait(why=f"It is constant (always {counts[text_name][0]!r}).")
    if not plain and known >= KEY_ROWS and unique >= KEY_SHARE * known:
        return Trait(why="It looks like an identifier or free text: the value differs in almost every row.")
    if not plain and unique > 0.5 * known and known >= KEY_ROWS and (text.str.count_matches(r"\s").mean() or 0) > 3:
        return Trait(why="It looks like free text: long values, most of them seen once.")
    notes: tuple[str, ...] = ()
    if unique > MANY:
        counts = counts.filter(pl.col("count") >= 2).sort(["count", text_name], descending=[True, False]).head(MOST)
        notes = (
            f"Column {name!r} has {unique:,} categories; {counts.height:,} that repeat are kept, "
            "the others count as unknown.",
        )
    words = counts[text_name].to_list()
    if set(map(str.lower, words)) <= {"true", "false"}:
        words = sorted({word.lower() for word in words})
    return Trait((Column(name, "categorical", name, vocabulary=tuple(sorted(words))),), "", notes)


def _counts(text: pl.Series) -> pl.DataFrame:
    return text.rename("value").drop_nulls().value_counts(name="count")


def date_pattern(text: pl.Series) -> tuple[str, tuple[str, ...]]:
    """Return the date pattern that a text column follows (empty: none) and a note where two fit."""
    known = text.drop_nulls()
    sample = known.head(2000)
    if not len(sample) or sample.str.contains(r"\d{1,4}[-/. ]").mean() < DATE_SHARE:
        return "", ()
    fits = []
    for pattern in ("iso", *DAY_FORMATS):
        for part in (sample, known):  # a cheap look first, then every value
            if values.parse_moments(part, pattern).is_not_null().mean() < DATE_SHARE:
                break
        else:
            fits.append(pattern)
            if pattern == "iso" or len(fits) == 2:
                break
    if not fits:
        return "", ()
    exact = fits
    if len(fits) > 1:
        exact = [p for p in fits if values.parse_moments(known, p).null_count() == 0] or fits
    if len(exact) == 1:
        return exact[0], ()
    return exact[0], (
        f"Column {text.name!r}: the dates fit both {exact[0]} and {exact[1]}; {exact[0]} was taken. "
        "Write them as 2026-01-31 to be sure.",
    )


def _decimal_comma(text: pl.Series) -> bool:
    text = values.without_signs(text)
    marked = text.filter(text.str.contains(",", literal=True).fill_null(False))
    if not len(marked):
        return False
    shape = marked.str.contains(r"^[+-]?(\d+|\d{1,3}(\.\d{3})+),\d+$")
    if not shape.all():
        return False
    thousands = marked.str.contains(r"^[+-]?[1-9]\d{0,2}(,\d{3})+$")
    return not bool(thousands.all())


def _is_code(text: pl.Series) -> bool:
    """Tell whether digits are written with leading zeros (postcodes, article numbers): these are names."""
    zeros = text.str.contains(r"^0\d+$")
    return bool((zeros.mean() or 0.0) >= 0.01)


def _is_key(name: str, finite: NDArray[np.float64], rows: int) -> bool:
    if rows < KEY_ROWS or len(finite) < KEY_SHARE * rows:
        return False
    unique = len(np.unique(finite))
    if unique == rows and float(finite.max()) - float(finite.min()) == rows - 1:
        return True  # each whole number of a range once: a row number
    return unique >= KEY_SHARE * rows and bool(_KEY_NAME.search(name) or _KEY_NAME.search(name.lower()))


def _weak_words(series: pl.Series) -> Sequence[str]:
    text = series.str.strip_chars()
    return sorted(text.filter(text.str.to_lowercase().is_in(sorted(WEAK_MISSING_WORDS))).unique().to_list())


def _shown(words: Any) -> str:
    found = sorted(set(words.head(10_000).to_list())) if isinstance(words, pl.Series) else list(words)
    shown = ", ".join(repr(word[:20]) for word in found[:3])
    return f"({shown}{' …' if len(found) > 3 else ''})"


def _plural(kind: Any) -> str:
    if kind == pl.Binary:
        return "bytes"
    return "nested values" if kind.is_nested() else "objects"
