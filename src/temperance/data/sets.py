"""Columns with several values in a cell: find them, and give a yes/no column for each value."""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from temperance.data import values
from temperance.records.members import BRACKETS, HAS, bracketed, has, members
from temperance.records.schema import Column

SAMPLE = 5000  # different cells that are looked at
FIRST = 20_000  # rows that are asked for them first
MOST = 100  # values that get a column of their own
LONGEST = 40  # letters of a value
OFTEN = 0.05  # share of cells with several values
NESTED = "\x1f"  # between the values of a column of lists


class Cut(NamedTuple):
    """How cells with several values are cut.

    Attributes:
        sign: what stands between the values; empty: there are not several.
        sure: nothing else than several values is likely.
        example: such a cell.

    """

    sign: str = ""
    sure: bool = False
    example: str = ""


def cut_of(text: pl.Series) -> Cut:
    """Return how the cells of ``text`` (cleaned, null = missing) are cut, if they hold several values."""
    known = text.drop_nulls()
    cells = _different(known)
    if not cells:
        return Cut()
    lists = [bracketed(cell) for cell in cells]
    if all(one is not None for one in lists):
        if len({cell.count(",") for cell in cells}) == 1 and not any(
            letter.isalpha() for cell in cells for letter in cell
        ):
            return Cut(BRACKETS, False, cells[0])  # numbers, as many in each cell: rather a point than a set
        several = [cell for cell, one in zip(cells, lists, strict=True) if one is not None and len(one) > 1]
        words = Counter(word for one in lists if one is not None for word in one)
        return Cut(BRACKETS, True, several[0]) if several and len(words) <= max(MOST, len(cells) // 2) else Cut()
    for sign in (";", "|", ",", "/"):
        example = _several(cells, sign)
        if example and known.str.contains(sign, literal=True).mean() >= OFTEN:  # type: ignore[operator]
            return Cut(sign, sign in ";|", example)
    return Cut()


def _different(known: pl.Series) -> list[str]:
    """Return the first ``SAMPLE`` different cells in the order of the column."""
    for start in (FIRST, len(known)):  # most often the first rows hold as many
        cells = known.head(start).unique(maintain_order=True).head(SAMPLE)
        if len(cells) == SAMPLE:
            break
    return list(cells.to_list())


def _several(cells: list[str], sign: str) -> str:
    """Return a cell with several values where the values also stand alone and in other company, or nothing."""
    if not any(sign in cell for cell in cells):
        return ""
    cut = {cell: [word.strip() for word in cell.split(sign)] for cell in cells}
    many = {cell: words for cell, words in cut.items() if len(words) > 1}
    if len(many) < 2 or any("" in words or len(set(words)) < len(words) for words in many.values()):
        return ""
    counts = Counter(word for words in many.values() for word in words)
    alone = {words[0] for words in cut.values() if len(words) == 1}
    plain = all(any(letter.isalpha() for letter in word) and len(word) <= LONGEST for word in counts)
    known = len(alone & set(counts))
    if not plain or len(counts) > MOST or known < 2 or 2 * known < len(alone):
        return ""
    return next(iter(many)) if len(counts) < len(cells) or max(counts.values()) > 1 else ""


def listed(kind: pl.DataType) -> bool:
    """Tell whether a column of this type holds lists of words or whole numbers."""
    if not isinstance(kind, pl.List):
        return False
    inner = kind.inner
    return bool(inner in (pl.String, pl.Boolean, pl.Categorical, pl.Enum) or inner.is_integer())  # type: ignore[union-attr]


def as_text(series: pl.Series) -> pl.Series:
    """Return a column of lists as text with ``NESTED`` between the values, any other column unchanged."""
    if not isinstance(series.dtype, (pl.List, pl.Array)):
        return series
    return series.cast(pl.List(pl.String)).list.join(NESTED, ignore_nulls=True).alias(series.name)


def held(series: pl.Series, word: str, sign: str, missing: values.Missing) -> NDArray[np.float64]:
    """Return 1 where a cell holds ``word``, 0 where not, NaN where it is missing.

    Shapes: (b,).
    """
    text = as_text(series)
    different = text.unique().drop_nulls()
    found = pl.Series([has(cell, word, sign, missing) for cell in different.to_list()], dtype=pl.Float64)
    return values.array(text.replace_strict(different, found, default=None, return_dtype=pl.Float64))


def columns_of(series: pl.Series, sign: str, missing: values.Missing) -> tuple[tuple[Column, ...], int]:
    """Return a yes/no column for each value that is seen twice or more, and the count of those that are left out."""
    text = values.clean(as_text(series), missing)
    counts = Counter[str]()
    for cell, count in text.drop_nulls().rename("value").value_counts(name="count").iter_rows():
        for word in members(cell, sign):
            counts[word] += count
    rows = len(text) - text.null_count()
    kept = [word for word, count in counts.most_common() if 2 <= count < rows][:MOST]
    made = tuple(
        Column(
            f"{series.name} has {word}", "numeric", series.name, HAS + word, integer=True, low=0.0, high=1.0,
            format=sign, missing=None if missing is None else tuple(missing),
        )
        for word in sorted(kept)
    )  # fmt: skip
    return made, len(counts) - len(kept)
