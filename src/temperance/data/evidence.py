"""What the cells of a column say about how its numbers are written, counted by shape: each shape is looked at once."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

import polars as pl

from temperance.data import values
from temperance.records.cells import NumberStyle, anatomy

MOSTLY = 0.9  # share of numbers from which a column with some words still counts as numeric
CLEAR = 0.05  # share of the cells with a sign that must say which sign is the decimal one
SETS = 0.01  # share of cells such as 2,3,5 from which a column holds sets
SHAPES = 20_000  # shapes that are looked at, the most frequent first
REPEATED, SAMPLE = 100_000, 10_000  # cells above which, and a sample by which, it is asked whether they repeat
LONGEST = 40  # letters of a cell that may be a number
_LIST = re.compile(r"\d+(?:\s*[,;/|]\s*\d+){2,}")


@dataclass(frozen=True)
class Numbering:
    """How many cells speak for what, in a column that may hold numbers.

    Attributes:
        known: cells that are not missing.
        numbers: cells that are numbers in one style or another.
        point: cells that can only be read with a decimal point.
        comma: cells that can only be read with a decimal comma.
        lone_point: cells such as ``1.234``: a decimal, or one thousand and more.
        lone_comma: cells such as ``1,234``.
        short: whole numbers below 1000 without a sign.
        lists: cells such as ``2,3,5``.
        units: unit (empty: none) and its count.
        shapes: shape (a cell with 9 for each digit) and its count.

    """

    known: int
    numbers: int = 0
    point: int = 0
    comma: int = 0
    lone_point: int = 0
    lone_comma: int = 0
    short: int = 0
    lists: int = 0
    units: Counter[str] = field(default_factory=Counter)
    shapes: tuple[tuple[str, int], ...] = ()

    @property
    def marked(self) -> int:
        """Cells with a point or a comma."""
        return self.point + self.comma + self.lone_point + self.lone_comma

    @property
    def clear(self) -> str:
        """The decimal sign that the cells themselves decide, or empty."""
        if not self.marked or max(self.point, self.comma) < CLEAR * self.marked:
            return ""
        return "." if self.point >= self.comma else ","

    @cached_property
    def unit(self) -> str:
        """The unit of most cells that have one; a unit of few cells is odd and counts as none."""
        real = Counter({unit: count for unit, count in self.units.items() if unit})
        if not real:
            return ""
        unit, count = real.most_common(1)[0]
        return unit if count >= (1 - MOSTLY) * self.numbers else ""

    @property
    def is_list(self) -> bool:
        """Tell whether cells hold several values each."""
        return self.lists >= max(2.0, SETS * self.known)

    def fits(self, style: NumberStyle) -> int:
        """Count the cells that ``style`` reads."""
        return sum(count for shape, count in self.shapes if style.fits(shape))

    def style(self, decimal: str) -> NumberStyle:
        """Return the style with this decimal sign."""
        return NumberStyle(decimal, (self.lone_comma if decimal == "." else self.lone_point) > 0, self.unit)


def numbering(text: pl.Series, different: pl.DataFrame | None = None) -> Numbering:
    """Count what the cells of ``text`` (cleaned, null = missing) say; ``different``: what ``repeated`` says of them."""
    known = text.drop_nulls()
    counts = _shapes(known, repeated(known) if different is None else different)
    total: Counter[str] = Counter()
    units: Counter[str] = Counter()
    kept = []
    for shape, count in counts.iter_rows():
        parts = anatomy(shape)
        kind = "" if parts is None else _kind(parts.whole, bool(parts.exponent))
        total[kind or ("lists" if _LIST.fullmatch(shape) else "other")] += count
        if kind and parts is not None:
            units[parts.unit] += count
            kept.append((shape, count))
    numbers = sum(units.values())
    kinds = ("point", "comma", "lone_point", "lone_comma", "short", "lists")
    return Numbering(len(known), numbers, **{k: total[k] for k in kinds}, units=units, shapes=tuple(kept))


def repeated(known: pl.Series) -> pl.DataFrame | None:
    """Return value and count of the different cells of a long column where many repeat, else None."""
    if len(known) > REPEATED and known.gather_every(len(known) // SAMPLE).n_unique() < SAMPLE // 2:
        return values.tally(known)
    return None


def share_of(text: pl.Series, counts: pl.DataFrame | None, pattern: str) -> float:
    """Return the share of the cells that match; ``counts``: what ``repeated`` says of them."""
    if counts is None:
        return float(text.drop_nulls().str.contains(pattern).mean() or 0.0)  # type: ignore[arg-type]
    return int(counts.filter(pl.col("value").str.contains(pattern))["count"].sum()) / int(counts["count"].sum())


def _shapes(known: pl.Series, different: pl.DataFrame | None) -> pl.DataFrame:
    """Count the shapes of the cells that hold a digit, the most frequent first, each different cell once."""
    cells, weights = (known, None) if different is None else (different["value"], different["count"])
    wanted = cells.str.contains(r"\d") & (cells.str.len_chars() <= LONGEST)
    digits = cells.filter(wanted)
    marked = (
        digits.str.replace(r"^([^\d]*)0", "${1}z").str.replace_all(r"[0-9]", "9").str.replace("z", "0", literal=True)
    ).rename("shape")
    if weights is None:
        return marked.value_counts(sort=True, name="count").head(SHAPES)
    frame = pl.DataFrame({"shape": marked, "count": weights.filter(wanted)})
    return frame.group_by("shape").agg(pl.col("count").sum()).sort("count", descending=True).head(SHAPES)


def _kind(core: str, exponent: bool) -> str:
    """Say what a number says about the decimal sign; empty where it is a number in no style."""
    reads = {sign: NumberStyle(sign).fits(core) for sign in ".,"}
    if all(reads.values()):
        bare = re.sub(r"\D", "", core)
        return "short" if len(bare) <= 3 and not exponent else "plain"
    lone = {sign: not exponent and NumberStyle(sign, True).fits(core) for sign in ".,"}
    if reads["."]:
        return "lone_point" if lone[","] else "point"
    if reads[","]:
        return "lone_comma" if lone["."] else "comma"
    return ""


@dataclass(frozen=True)
class FileStyle:
    """What the file says about the numbers of its ambiguous columns.

    Attributes:
        separator: sign between fields of a text file, else empty.
        vote: returns the decimal sign of the columns that decide it themselves, or empty.

    """

    separator: str = ""
    vote: Callable[[], str] = lambda: ""

    @cached_property
    def columns(self) -> str:
        """The decimal sign of the other columns, or empty."""
        return self.vote()

    def decimal(self, found: Numbering) -> tuple[str, str]:
        """Return the decimal sign of an ambiguous column, and why."""
        if self.columns:
            return self.columns, "as in the other columns of the file"
        if self.separator == ";" and (found.lone_comma or found.short):
            return ",", "as usual in files with ';' between fields"
        return ".", "as usual where nothing else decides"
