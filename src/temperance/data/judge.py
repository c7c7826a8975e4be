"""Choose the one reader of a column, from all its values, with what speaks for it and against it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl

from temperance.data import values
from temperance.data.choices import ColumnChoice
from temperance.data.dates import date_pattern, number_pattern
from temperance.data.doubts import (
    TOO_LONG,
    clock_doubt,
    decimal_of,
    first,
    number_doubts,
    numbered,
    overrule,
    sentinel,
    why_code,
)
from temperance.data.evidence import MOSTLY, FileStyle, Numbering, numbering, repeated, share_of
from temperance.data.sets import NESTED, cut_of, listed
from temperance.records.cells import EXACT, NumberStyle
from temperance.records.errors import DataError
from temperance.records.moments import CLOCK

LOOK = 20_000  # cells of a column of plain numbers that are looked at for doubts
WHOLE = 200_000  # cells up to which all shapes are counted; above it a sample says the style and all cells test it
FEW_WORDS, MANY_NUMBERS, FEW_WORDS_SHARE = 2, 20, 0.5  # so many words, different numbers, and share of numbers
_ANY_DATE = r"^(\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4})($|[T ])"
AUTO = ColumnChoice()
ALONE = FileStyle()


@dataclass(frozen=True, eq=False)
class Reader:
    """How a column is read.

    Attributes:
        name: the column.
        kind: ``number``, ``date``, ``category``, ``text``, ``set`` or ``none`` (it holds nothing that can be read).
        style: of numbers.
        pattern: of dates; of sets what stands between the values.
        missing: words for "missing", or None: the usual ones.
        cells: count of cells that are not missing.
        misfits: count of those that do not fit: they count as missing.
        odd: some of them.
        doubts: sentences that say both readings and how to choose.
        said: further sentences.
        found: the values, of numbers and dates.
        text: the cells as ``values.clean`` gives them, of categories, where they are known.
        counts: value and count of its cells, where many repeat.

    """

    name: str
    kind: str
    style: NumberStyle = values.PLAIN
    pattern: str = ""
    missing: tuple[str, ...] | None = None
    cells: int = 0
    misfits: int = 0
    odd: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()
    said: tuple[str, ...] = ()
    found: values.Numbers | None = None
    text: pl.Series | None = None
    counts: pl.DataFrame | None = None

    def bare(self) -> Reader:
        """Return it without values and texts."""
        return replace(self, found=None, text=None, counts=None)

    @property
    def written(self) -> str:
        """How it is written, in short."""
        if self.kind == "number":
            return self.style.form + (f" {self.style.unit}" if self.style.unit else "")
        return self.pattern

    def choice(self) -> ColumnChoice:
        """Return the choice that reads a column so."""
        if self.kind == "number":
            other = "." if self.style.decimal == "," else ","
            thousands = other if self.style.grouped else ""
            return ColumnChoice("number", self.style.decimal, thousands, self.style.unit, missing=self.missing)
        if self.kind == "date":
            return ColumnChoice("date", pattern=self.pattern, missing=self.missing)
        if self.kind == "set":
            return ColumnChoice("set", sep=self.pattern, missing=self.missing)
        return ColumnChoice("text" if self.kind == "text" else "category", missing=self.missing)

    def remark(self) -> str:
        """Return the evidence in a sentence."""
        odd = f", not {', '.join(repr(word[:20]) for word in self.odd)}" if self.odd else ""
        return " ".join([f"{self.cells - self.misfits:,} of {self.cells:,} cells fit{odd}.", *self.doubts])

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-safe fields (not the values)."""
        return {
            "column": self.name, "read": self.kind, "written": self.written, "cells": self.cells,
            "misfits": self.misfits, "odd": list(self.odd), "doubts": list(self.doubts),
        }  # fmt: skip


def judge(series: pl.Series, choice: ColumnChoice = AUTO, file: FileStyle = ALONE) -> Reader:
    """Choose the reader of a column.

    Args:
        series: the column.
        choice: what the user decided.
        file: decides where the column itself does not.

    Raises:
        DataError: the user's reader reads none of the cells.

    """
    kind = series.dtype
    base = Reader(series.name, "none", missing=choice.missing, cells=len(series) - series.null_count())
    if listed(kind) and choice.read in ("auto", "keep", "set"):
        said = f"Column {base.name!r} holds lists: a yes/no column for each value."
        return replace(base, kind="set", pattern=NESTED, said=(said,))
    if series.null_count() == len(series) or kind.is_nested() or kind in (pl.Binary, pl.Object):
        return base
    if choice.read == "set":
        text = values.clean(series.cast(pl.String), choice.missing)
        return replace(base, kind="set", pattern=choice.sep or cut_of(text).sign or ";")
    if choice.read in ("category", "text") or kind in (pl.Boolean, pl.Categorical, pl.Enum):
        return replace(base, kind="category")
    if values.is_date_type(series):
        return _date(base, series, "iso")
    if kind != pl.String:
        return _typed(base, series, choice)
    made = _plain(base, series, choice)
    if made is None:
        look = _look(series, choice)
        made = _long(base, series, choice, file, look) or _text(base, series, choice, file, look)
    if choice.read in ("number", "date") and (made.kind != choice.read or made.misfits >= made.cells > 0):
        shown = ", ".join(repr(word[:30]) for word in made.odd or tuple(series.drop_nulls().head(3)))
        raise DataError(
            f"The column {series.name!r} holds {shown}",
            f"What --column asks for: {choice.read} {choice.pattern or (choice.style or values.PLAIN).example}",
            "Change the choice for this column, or leave it out to let the values decide",
        )
    return made


def _typed(base: Reader, series: pl.Series, choice: ColumnChoice) -> Reader:
    if series.dtype.is_integer() and choice.read != "number":
        ends = [abs(int(end)) for end in (series.min(), series.max()) if end is not None]
        if max(ends, default=0) > EXACT:
            return replace(base, kind="category", said=(f"Column {base.name!r}: {TOO_LONG}",))
    read = values.numbers(series, missing=choice.missing)
    made = replace(base, kind="number", found=read, cells=int(np.isfinite(read.values).sum()) + read.infinite)
    return _number_or_day(made, series, choice)


def _plain(base: Reader, series: pl.Series, choice: ColumnChoice) -> Reader | None:
    """Return the reader of a column where each cell is a plain number and nothing else is in question, or None."""
    if choice.read not in ("auto", "keep") or choice.style is not None or choice.missing is not None:
        return None
    for part in (series.gather_every(max(1, len(series) // LOOK)), series):  # a few cells say no soonest
        if part.cast(pl.Float64, strict=False).null_count() > part.null_count():
            return None
    known = series.drop_nulls()
    found = numbering(known.gather_every(max(1, len(known) // LOOK)))
    if (found.marked and found.clear != ".") or found.numbers < found.known or why_code(known):
        return None
    made = replace(base, kind="number", found=values.numbers(series))
    made = replace(made, doubts=tuple(number_doubts(made.name, made.style, found, known.head(LOOK))))
    return _number_or_day(made, series, choice)


def _look(series: pl.Series, choice: ColumnChoice) -> Numbering | None:
    """Return what a sample of a long column says about its numbers, or None where that is not asked."""
    if len(series) <= WHOLE or choice.read not in ("auto", "keep") or choice.style or choice.missing is not None:
        return None
    return numbering(values.clean(series.drop_nulls().gather_every(max(1, len(series) // WHOLE)), weak=True))


def _long(
    base: Reader, series: pl.Series, choice: ColumnChoice, file: FileStyle, found: Numbering | None
) -> Reader | None:
    """Return the reader of a long column of numbers in one plain style, as ``_text`` finds it, or None to ask that."""
    if found is None:
        return None
    if not found.numbers or found.numbers < MOSTLY * found.known or found.is_list or found.unit:
        return None
    known = series.drop_nulls()
    if why_code(known):
        return None
    decimal, doubts = decimal_of(found, file, base.name, known)
    read = values.plain_numbers(series, found.style(decimal))
    if read is None:
        return None
    made = _of_numbers(base, read, found.style(decimal), doubts)
    made = replace(made, doubts=(*made.doubts, *number_doubts(made.name, made.style, found, known)))
    return _number_or_day(made, series, choice)


def _text(base: Reader, series: pl.Series, choice: ColumnChoice, file: FileStyle, look: Numbering | None) -> Reader:
    text = values.clean(series, choice.missing, weak=True)
    known = len(text) - text.null_count()
    base = replace(base, cells=known)
    if choice.read == "date":
        return _date(base, series, choice.pattern or date_pattern(text).pattern or "iso")
    if not known:
        return replace(
            base, kind="category" if values.clean(series, choice.missing).null_count() < len(text) else "none"
        )
    if choice.style is not None or choice.read == "number":
        found = numbering(text)
        style = choice.style or found.style(found.clear or file.decimal(found)[0])
        return _number(base, series, replace(style, unit=choice.unit or found.unit), ())
    cut = cut_of(text)
    if cut.sure:
        said = (
            f"Column {base.name!r} holds several values in a cell, such as {cut.example[:40]!r}: a yes/no column for "
            f"each value. {overrule(base.name, 'category')}"
        )
        return replace(base, kind="set", pattern=cut.sign, said=(said,))
    look = look if text.null_count() == series.null_count() else None  # of other cells
    made = _as_number(base, series, text, file, look)
    if made is not None and made.kind == "number":
        return _number_or_day(made, series, choice)
    if made is not None:
        return made
    dates = date_pattern(text)
    if dates.pattern:
        doubts: tuple[str, ...] = ()
        if dates.other:
            doubts = (
                f"Column {base.name!r}: the dates fit both {dates.pattern} and {dates.other}; {dates.pattern} was "
                f"taken. {overrule(base.name, f'date,pattern={dates.other}')}",
            )
        return _date(base, series, dates.pattern, doubts, dates.found if choice.missing is None else None)
    if cut.sign:
        said = (
            f"Column {base.name!r}: {cut.example[:40]!r} can be one category or several values; it was read as one. "
            f"{_as_set(base.name, cut.sign)}"
        )
        return replace(base, kind="category", said=(said,))
    return _category(base, text, series)


def _as_number(
    base: Reader, series: pl.Series, text: pl.Series, file: FileStyle, look: Numbering | None
) -> Reader | None:
    """Return the number's reader, a category where the cells only look like numbers, or None."""
    whole = len(text) <= WHOLE
    found = look or numbering(text if whole else text.drop_nulls().gather_every(max(1, len(text) // WHOLE)))
    if not found.numbers:
        return None
    if found.is_list:
        cell = first(text, r"[0-9][,;/|]")
        sign = next(one for one in cell if one in ",;/|")
        said = f"Column {base.name!r} holds several values in a cell, such as {cell!r}: read as categories. "
        said += _as_set(base.name, sign)
        return replace(base, kind="category", said=(said,))
    why = why_code(text)
    if why:
        return replace(base, kind="category", said=(f"Column {base.name!r}: {why}",))
    decimal, doubts = decimal_of(found, file, base.name, text)
    style = found.style(decimal)
    if found.fits(style) < FEW_WORDS_SHARE * found.known:
        return None
    made = _number(base, series, style, doubts)
    if (made.misfits or style.unit) and not whole:  # the sample did not show everything
        found = numbering(text)
        decimal, doubts = decimal_of(found, file, base.name, text)
        made = _number(base, series, found.style(decimal), doubts)
    if made.cells - made.misfits < MOSTLY * made.cells:
        return _with_words(made)
    return replace(made, doubts=(*made.doubts, *number_doubts(made.name, made.style, found, text)))


def _with_words(made: Reader) -> Reader | None:
    """Return the number's reader for many different numbers beside a word or two that mean "missing", or None."""
    read = made.found
    if read is None or read.words.n_unique() > FEW_WORDS or len(np.unique(read.values)) <= MANY_NUMBERS:
        return None
    shown = ", ".join(repr(word[:20]) for word in made.odd)
    doubt = (
        f"Column {made.name!r} holds numbers and {made.misfits:,} times {shown}, which was taken for missing. "
        f"{overrule(made.name, 'category')}"
    )
    return replace(made, doubts=(*made.doubts, doubt))


def _number(base: Reader, series: pl.Series, style: NumberStyle, doubts: Sequence[str]) -> Reader:
    return _of_numbers(base, values.numbers(series, style, base.missing), style, doubts)


def _of_numbers(base: Reader, read: values.Numbers, style: NumberStyle, doubts: Sequence[str]) -> Reader:
    cells = len(read.finite) + read.infinite + len(read.words)
    said = [] if style.decimal == "." else [f"Column {base.name!r} has decimal commas."]
    if style.unit:
        said.append(f"Column {base.name!r} is in {style.unit!r}; the number was taken.")
    odd = _some(read.words)
    return replace(
        base, kind="number", style=style, cells=cells, misfits=len(read.words), odd=odd, found=read,
        doubts=tuple(doubts), said=tuple(said),
    )  # fmt: skip


def _number_or_day(made: Reader, series: pl.Series, choice: ColumnChoice) -> Reader:
    """Return the reader of numbers, or of days where the whole numbers are days."""
    if choice.read == "date" and choice.pattern:
        return _date(replace(made, doubts=()), series, choice.pattern)
    if choice.read == "number" or made.found is None or made.misfits:
        return made
    finite = made.found.finite
    if made.style == values.PLAIN and len(finite):
        days = number_pattern(made.name, finite)
        if days.pattern:
            doubt = (
                f"Column {made.name!r}: whole numbers such as {finite[0]:.0f} were read as dates ({days.pattern}). "
                f"{overrule(made.name, 'number')}"
            )
            found = _date(replace(made, doubts=()), series, days.pattern, (doubt,))
            return made if found.misfits else found
    return replace(made, doubts=(*made.doubts, *sentinel(made.name, finite)))


def _date(
    base: Reader, series: pl.Series, pattern: str, doubts: Sequence[str] = (), read: values.Numbers | None = None
) -> Reader:
    if read is None:
        read = values.days(series, pattern=pattern, missing=base.missing)
    known = int(np.isfinite(read.values).sum()) + len(read.words)
    odd = _some(read.words)
    said: tuple[str, ...] = ()
    none = base.cells - known
    if none > 0:
        said = (f"Column {base.name!r}: {none:,} days stand for none (such as 9999-12-31): read as missing.",)
    if pattern == CLOCK:
        doubts = (*doubts, *clock_doubt(base.name, read.values))
    return replace(
        base, kind="date", pattern=pattern, cells=known, misfits=len(read.words), odd=odd, found=read,
        doubts=tuple(doubts), said=said,
    )  # fmt: skip


def _as_set(name: str, sign: str) -> str:
    return f"For a yes/no column for each value: --column '{name}=set,sep={sign}'."


def _some(words: pl.Series) -> tuple[str, ...]:
    return tuple(sorted(words.unique().head(1000).to_list())[:3])


def _category(base: Reader, text: pl.Series, series: pl.Series) -> Reader:
    counts = repeated(text.drop_nulls())
    found = numbering(text, counts)  # of all cells: its counts are said
    said: tuple[str, ...] = ()
    units = [unit for unit in found.units if unit]
    if 2 <= len(units) <= 5 and found.numbers >= MOSTLY * found.known:
        shown = ", ".join(repr(unit) for unit in units)
        said = (
            f"Column {base.name!r} holds numbers in {len(units)} units ({shown}): read as categories. "
            f"Bring them to one unit to use them as numbers; --column '{base.name}=number,unit={units[0]}' reads those "
            f"in {units[0]!r} and takes the others for missing.",
        )
    elif min(found.point, found.comma) >= 0.1 * found.known:
        said = (
            f"Column {base.name!r} holds decimal points ({found.point:,}) and decimal commas ({found.comma:,}): read "
            f"as categories. Write all in one way to use them as numbers; "
            f"--column '{base.name}=number,decimal=,' (or .) "
            "reads one kind and takes the other for missing.",
        )
    elif share_of(text, counts, _ANY_DATE) >= MOSTLY:
        said = (
            f"Column {base.name!r} holds dates that are written in several ways: read as categories. Write all in one "
            f"way, such as 2026-01-31, to use them as dates; "
            f"--column '{base.name}=date' reads those that fit one pattern.",
        )
    elif 0.1 * found.known <= found.numbers < found.known:
        words = found.known - found.numbers
        said = (
            f"Column {base.name!r} mixes numbers ({found.numbers:,}) and words ({words:,}): read as categories. "
            f"To take the words for missing: --column '{base.name}=number'.",
        )
    elif numbered(text):
        said = (
            f"Column {base.name!r} holds texts that begin with different numbers, such as "
            f"{text.drop_nulls()[0][:30]!r}: read as categories. If they are numbers, write the number alone; "
            f"if not used: --drop '{base.name}'.",
        )
    same = base.missing is not None or text.null_count() == series.null_count()  # the weak words took nothing away
    return replace(base, kind="category", said=said, text=text if same else None, counts=counts)
