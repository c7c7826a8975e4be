"""Make the inputs of a column: numbers, categories, text, the parts of a date, or nothing that a model should see."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from temperance.data import sets, texts, values
from temperance.data.choices import ColumnChoice
from temperance.data.evidence import FileStyle
from temperance.data.judge import ALONE, AUTO, Reader, judge
from temperance.records.cells import WEAK_MISSING_WORDS, fold
from temperance.records.moments import CLOCK, date_part
from temperance.records.schema import Column

NO_TWO_ALIKE = "It looks like an identifier or free text: the value differs in almost every row."
SHORT = 40  # letters of a text that can be a number or a date
KEY_SHARE = 0.95  # share of different values from which a text column is taken for a key
KEY_ROWS = 20  # below this many rows no column is taken for a key
MANY = 1000  # above this many categories the ones seen once are left out of the vocabulary
MOST = 10_000  # largest vocabulary
NAMES_TOO = frozenset({"na", "nan", "null"})  # words for "missing" that can be a name
_KEY_NAME = re.compile(
    r"(^|[_\s.-])(id|uid|uuid|guid|key|index|idx|no|nr|row|row_?number|row_?id)$|^column_1$|[a-z]I[dD]$"
)


@dataclass(frozen=True, eq=False)
class Trait:
    """What a column gives.

    Attributes:
        columns: the inputs; empty when it is left out.
        why: why it is left out, else empty.
        notes: plain sentences about how it was read.
        reader: how it was read.

    """

    columns: tuple[Column, ...] = ()
    why: str = ""
    notes: tuple[str, ...] = ()
    reader: Reader | None = None


def infer(series: pl.Series, *, plain: bool = False, choice: ColumnChoice = AUTO, file: FileStyle = ALONE) -> Trait:
    """Decide what ``series`` gives.

    Args:
        series: the column.
        plain: the column (of an array without names) is never taken for a key or left out.
        choice: what the user decided.
        file: decides how numbers are written where the column itself does not.

    """
    if choice.read == "drop":
        return Trait(why="You left it out.")
    kind = series.dtype
    if series.null_count() == len(series):
        return Trait(why="It holds no values.", reader=Reader(series.name, "none", missing=choice.missing))
    if (kind.is_nested() and not sets.listed(kind)) or kind == pl.Binary or kind == pl.Object:
        return Trait(why=f"It holds {_plural(kind)}, which cannot be used as an input.")
    if plain and choice.read == "auto" and values.is_number_type(series):
        choice = replace(choice, read="number")  # numbers of an array are numbers
    reader = judge(series, choice, file)
    plain = plain or choice.read not in ("auto", "drop")
    if reader.kind == "none":
        return Trait(why="It holds no values.", reader=reader)
    made = {"number": _numeric, "date": _date, "category": _categorical, "set": _several}[reader.kind](
        series, reader, plain, choice
    )
    return replace(made, notes=(*reader.said, *reader.doubts, *made.notes), reader=made.reader or reader)


def _numeric(series: pl.Series, reader: Reader, plain: bool, choice: ColumnChoice) -> Trait:
    name, read = series.name, _found(reader)
    finite = read.finite
    if not len(finite):
        return Trait(why="It holds no usable numbers.")
    low, high = float(finite.min()), float(finite.max())
    integer = bool((finite == np.floor(finite)).all())
    if not plain and low == high and len(finite) == len(read.values):
        return Trait(why=f"It is constant (always {low:g}).")
    notes = []
    if not plain and integer and _is_key(name, read.values, finite):
        if not _all_once(finite) or _in_order(finite) or _key_name(name):
            return Trait(why="It looks like an identifier: a whole number that differs in every row.")
        notes.append(
            f"Column {name!r} holds each whole number from {low:.0f} to {high:.0f} once, not in the order of the file: "
            f"it is used. If it is an identifier: --drop '{name}'."
        )
    if read.infinite:
        notes.append(f"Column {name!r} holds {read.infinite:,} infinite values: read as missing.")
    if len(read.words):
        notes.append(
            f"Column {name!r} is numeric but holds {len(read.words):,} words {_shown(read.words)}: read as missing. "
            f"To keep them as words: --column '{name}=category'."
        )
    elif len(finite) + read.infinite < len(series) - series.null_count() and _weak_words(series, choice):
        notes.append(f"Column {name!r} is numeric; {_shown(_weak_words(series, choice))} is read as missing.")
    style = reader.style
    column = Column(
        name, "numeric", name, integer=integer, low=low, high=high, format=style.form, unit=style.unit,
        missing=reader.missing,
    )  # fmt: skip
    return Trait((column,), "", tuple(notes))


def _date(series: pl.Series, reader: Reader, plain: bool, choice: ColumnChoice) -> Trait:
    name, read = series.name, _found(reader)
    known = np.isfinite(read.values)
    if not known.any():
        return Trait(why="It holds no usable dates.")
    if not plain and known.all() and read.values.min() == read.values.max():
        return Trait(why="It is constant (always the same date).")
    clock = reader.pattern == CLOCK
    first, *others = ("hours", "sin", "cos") if clock else ("days", "month", "weekday", "hour")
    if clock and np.nanmax(read.values) >= 1.0:
        others = []
    columns = [_part(series.name, first, read.values, reader, alone=True)]
    for part in others:
        column = _part(name, part, date_part(read.values, part), reader)
        if column.low != column.high:
            columns.append(column)
    parts = ", ".join(column.part for column in columns)
    said = [f"Column {name!r} is a {'time' if clock else 'date'}; its inputs are {parts}."]
    if len(read.words):
        said.append(
            f"Column {name!r}: {len(read.words):,} texts are no dates {_shown(read.words)}: read as missing. "
            f"To keep them as words: --column '{name}=category'."
        )
    return Trait(tuple(columns), "", tuple(said))


def _found(reader: Reader) -> values.Numbers:
    if reader.found is None:
        raise TypeError(f"the reader of {reader.name!r} holds no values")
    return reader.found


def _part(name: str, part: str, found: NDArray[np.float64], reader: Reader, *, alone: bool = False) -> Column:
    found = date_part(found, part) if alone else found
    finite = found[np.isfinite(found)]
    shown = name if alone else f"{name}.{part}"
    integer = bool((finite == np.floor(finite)).all())
    low, high = float(finite.min()), float(finite.max())
    return Column(
        shown, "numeric", name, part, integer=integer, low=low, high=high, format=reader.pattern, missing=reader.missing
    )


def _categorical(series: pl.Series, reader: Reader, plain: bool, choice: ColumnChoice) -> Trait:
    name = series.name
    text = values.categories(series, choice.missing) if reader.text is None else reader.text
    counts = _counts(text) if reader.text is None or reader.counts is None else reader.counts
    unique, known = counts.height, len(text) - text.null_count()
    if not known:
        return Trait(why="It holds no values.")
    if not plain and unique == 1 and known == len(text):
        return Trait(why=f"It is constant (always {counts['value'][0]!r}).")
    if choice.read == "text" or (choice.read != "category" and known >= KEY_ROWS and texts.looks_like_text(text)):
        return _text(name, text, unique, reader, choice)
    if not plain and known >= KEY_ROWS and unique >= KEY_SHARE * known:
        return Trait((), NO_TWO_ALIKE, _could_be(name, text))
    notes = _names_read_as_missing(series, text, choice)
    if unique > MANY:
        counts = counts.filter(pl.col("count") >= 2).sort(["count", "value"], descending=[True, False]).head(MOST)
        notes.append(
            f"Column {name!r} has {unique:,} categories; {counts.height:,} that repeat are kept, "
            "the others count as unknown."
        )
    found = dict(counts.iter_rows())
    words, merged = (sorted(found), {}) if choice.exact else one_spelling(found)
    if merged:
        notes.append(
            f"Column {name!r}: {spellings(merged)} count as one category each. "
            f"To keep them apart: --column '{name}=category,case=exact'."
        )
    column = Column(name, "categorical", name, vocabulary=tuple(words), missing=reader.missing)
    return Trait((column,), "", tuple(notes))


def _text(name: str, text: pl.Series, unique: int, reader: Reader, choice: ColumnChoice) -> Trait:
    column = Column(name, "text", name, missing=reader.missing)
    note = texts.said(name, text, unique, chosen=choice.read == "text")
    return Trait((column,), "", (note,), replace(reader, kind="text"))


def _several(series: pl.Series, reader: Reader, plain: bool, choice: ColumnChoice) -> Trait:
    columns, left = sets.columns_of(series, reader.pattern, choice.missing)
    if not columns:
        return Trait(why="It holds several values in a cell, none of which is seen in two rows and absent in others.")
    notes = [f"Column {series.name!r}: {left:,} values that are rare or everywhere got no column."] if left else []
    return Trait(columns, "", tuple(notes))


def _could_be(name: str, text: pl.Series) -> tuple[str, ...]:
    """Say how to use a column of short texts with digits that are neither numbers nor dates to us."""
    known = text.drop_nulls().head(1000)
    signs = known.str.contains(r"\d") & (known.str.len_chars() <= SHORT) & ~known.str.contains(r"^[0-9a-fA-F-]{16,}$")
    if (signs.mean() or 0.0) < 0.8:
        return ()
    return (
        f"Column {name!r}: cells such as {known[0]!r} differ in almost every row and were taken for names. If they are "
        f"numbers or dates, write them like 12.5 or 2026-01-31; to use them as they stand: --keep '{name}'.",
    )


def one_spelling(counts: dict[str, int]) -> tuple[list[str], dict[str, list[str]]]:
    """Return one spelling for words that differ in letter case, Unicode form or blanks only, and what was merged.

    The most frequent spelling stands for all; ``true`` and ``false`` are written in lower case.
    """
    groups: dict[str, Counter[str]] = {}
    for word, count in counts.items():
        groups.setdefault(fold(word), Counter())[word] = count
    truth = set(groups) <= {"true", "false"}
    words, merged = [], {}
    for key, group in groups.items():
        chosen = key if truth else min(group, key=lambda word: (-group[word], word))
        words.append(chosen)
        if len(group) > 1 and not truth:
            merged[chosen] = sorted(group)
    return sorted(words), merged


def spellings(merged: dict[str, list[str]]) -> str:
    """Return spellings that were merged, in words."""
    shown = ["/".join(repr(word[:20]) for word in group[:4]) for group in list(merged.values())[:3]]
    return ", ".join(shown) + (" …" if len(merged) > 3 else "")


def _names_read_as_missing(series: pl.Series, text: pl.Series, choice: ColumnChoice) -> list[str]:
    """Say which cells were read as missing although their word can be a name."""
    if choice.missing is not None or series.dtype != pl.String or text.null_count() == series.null_count():
        return []
    words = series.str.strip_chars().filter(text.is_null())
    words = words.filter(words.str.to_lowercase().is_in(sorted(NAMES_TOO)).fill_null(False))
    if not len(words):
        return []
    return [missing_or_name(series.name, words)]


def missing_or_name(name: str, words: pl.Series) -> str:
    """Return the sentence on words that stand for "missing" and could be values."""
    return (
        f"Column {name!r}: {_shown(words)[1:-1]} ({len(words):,} cells) is read as missing. If it is a value, "
        f"name what means missing: --column '{name}=category,na=?'."
    )


def _counts(text: pl.Series) -> pl.DataFrame:
    return values.tally(text.drop_nulls())


def _is_key(name: str, values: NDArray[np.float64], finite: NDArray[np.float64]) -> bool:
    rows = len(values)
    if rows < KEY_ROWS or len(finite) < KEY_SHARE * rows:
        return False
    if float(finite.max()) - float(finite.min()) < KEY_SHARE * rows - 1:
        return False  # whole numbers of a range this short repeat
    unique = len(np.unique(finite))
    if unique == rows and float(finite.max()) - float(finite.min()) == rows - 1:
        return True  # each whole number of a range once: a row number
    return unique >= KEY_SHARE * rows and _key_name(name)


def _key_name(name: str) -> bool:
    return bool(_KEY_NAME.search(name) or _KEY_NAME.search(name.lower()))


def _all_once(finite: NDArray[np.float64]) -> bool:
    return float(finite.max()) - float(finite.min()) == len(finite) - 1


def _in_order(finite: NDArray[np.float64]) -> bool:
    steps = np.diff(finite)
    return bool((steps > 0).all() or (steps < 0).all())


def _weak_words(series: pl.Series, choice: ColumnChoice) -> list[str]:
    if choice.missing is not None or series.dtype != pl.String:
        return []
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
