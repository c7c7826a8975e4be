"""Tell columns of text, whose words are read, from categories and identifiers, which stand for themselves."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from temperance.records.rows import text_of
from temperance.records.schema import Column

DISTINCT = 0.5  # share of different values from which a column of words is text
MANY = 1000  # so many different values are enough, whatever their share
WORDS = 3.0  # words of a value, on average, from which it is text
LOOK = 20_000  # values that are looked at
#: Scripts that set no blanks between words: a word has about two of their signs.
UNBROKEN = r"[\x{3040}-\x{30ff}\x{3400}-\x{4dbf}\x{4e00}-\x{9fff}\x{0e00}-\x{0eff}\x{1000}-\x{109f}\x{1780}-\x{17ff}]"


def looks_like_text(text: pl.Series) -> bool:
    """Tell whether a column holds sentences: values of several words that rarely repeat.

    Args:
        text: cells without blanks at their ends, null = missing.

    """
    known = text.drop_nulls()
    unique = known.n_unique()
    if unique < DISTINCT * len(known) and unique <= MANY:
        return False
    return word_count(known) >= WORDS


def word_count(known: pl.Series) -> float:
    """Return the mean count of words; two signs of a script without blanks count as one word."""
    some = known.gather_every(max(1, len(known) // LOOK))
    count = some.str.count_matches(r"\s+") + 1 + some.str.count_matches(UNBROKEN) / 2
    return float(count.mean() or 0.0)  # type: ignore[arg-type]


def said(name: str, text: pl.Series, unique: int, *, chosen: bool) -> str:
    """Return the sentence on a column that is read as text, and how to read it otherwise."""
    known = text.drop_nulls()
    mean = word_count(known) if len(known) else 0.0
    facts = f"{unique:,} different values of {mean:.0f} {'word' if round(mean) == 1 else 'words'} on average"
    if chosen:
        return f"Column {name!r} is read as text, as you asked: {facts}."
    return (
        f"Column {name!r} was read as text: {facts}; its words and runs of letters are inputs. "
        f"If its values are categories: --column '{name}=category'; to leave it out: --drop '{name}'."
    )


def cells(series: pl.Series, column: Column) -> NDArray[np.object_]:
    """Return the cells of a column of text as (b,) str, None where missing or empty."""
    found: NDArray[np.object_] = np.empty(len(series), dtype=object)
    found[:] = [None if cell is None else text_of(column, cell) for cell in series.cast(pl.String).to_list()]
    return found
