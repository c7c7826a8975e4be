"""Sentences on readings that can be doubted: both readings, and the option that gets the other one."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from temperance.data.evidence import MOSTLY, FileStyle, Numbering
from temperance.records.cells import EXACT, NumberStyle

TOO_LONG = "whole numbers above 2^53 are read as codes, as numbers they would be rounded."
HEAD = 10_000  # cells that are looked at before the others
FEW = 50  # different texts up to which numbers can be versions
_ZERO_CODE = r"^0\d+$"


def both_readings(name: str, example: str, sign: str, decimal: str, why: str) -> str:
    """Say both readings of cells such as ``1,234``.

    Args:
        name: the column.
        example: such a cell.
        sign: its sign.
        decimal: the decimal sign that was taken.
        why: what spoke for it.

    """
    low, high = NumberStyle(sign), NumberStyle("." if sign == "," else ",", grouped=True)
    cell = "".join(letter for letter in example if letter.isdigit() or letter == sign)
    readings = {True: f"{low.read(cell):g} (decimal)", False: f"{high.read(cell):g} (thousands)"}
    taken = decimal == sign
    other = sign if not taken else ("." if sign == "," else ",")
    settings = f"number,decimal={other}" + (f",thousands={sign}" if taken else "")
    return (
        f"Column {name!r}: {cell!r} can be {readings[True]} or {readings[False]}; {readings[taken]} was taken, {why}. "
        f"{overrule(name, settings)}"
    )


def decimal_of(found: Numbering, file: FileStyle, name: str, text: pl.Series) -> tuple[str, tuple[str, ...]]:
    """Return the decimal sign, and a sentence with both readings where the cells leave it open."""
    if not found.marked:
        return ".", ()
    decimal, why = found.clear, "as a few cells say"
    if decimal:
        lone = found.lone_comma if decimal == "," else found.lone_point
        if 2 * lone < found.marked or not (decimal == "," or file.separator == ";"):
            return decimal, ()
    else:
        decimal, why = file.decimal(found)
    sign = "," if found.lone_comma >= found.lone_point else "."
    if decimal == sign == "." and not (found.short or file.separator == ";"):
        return decimal, ()
    example = first(text, rf"^\D*[1-9]\d{{0,2}}\{sign}\d{{3}}\D*$")
    return decimal, (both_readings(name, example, sign, decimal, why),)


def number_doubts(name: str, style: NumberStyle, found: Numbering, text: pl.Series) -> list[str]:
    """Say what else the numbers could be: codes with an exponent, versions, one with a leading zero."""
    doubts = []
    zeros = text.filter(text.str.starts_with("0").fill_null(False))
    zero = first(zeros, _ZERO_CODE)
    if zero:
        doubts.append(f"cells such as {zero!r} lose their zeros as numbers")
    if any("e" in shape.lower() and "." not in shape and "," not in shape for shape, _ in found.shapes):
        short = first(text, r"^\d+[eE]\d+$")
        if short:
            doubts.append(f"{short!r} is read as {float(short):,.0f}, and could be a code")
    if style.decimal == "." and not style.unit:
        tens = text.filter(text.str.ends_with("0").fill_null(False))
        tens = tens.filter(tens.str.contains(r"^\d+\.\d*0$"))
        bare = tens.str.replace(r"0+$", "").unique()
        if len(tens) and text.head(HEAD).n_unique() <= FEW and text.str.contains(r"^\d+\.\d*[1-9]$").any():
            digits = text.head(HEAD).str.extract(r"\.(\d+)$").str.len_bytes().drop_nulls()
            if digits.n_unique() > 1 and not text.is_in(bare.to_list()).any():
                doubts.append(f"{tens[0]!r} is read as {float(tens[0]):g}, and could be a version or code")
        if len(bare) and text.is_in(bare.to_list()).any():
            doubts.append(f"{tens[0]!r} and {tens[0].rstrip('0')!r} are one number, and could be versions")
    if style.unit and found.units[""]:
        count = found.units[""]
        doubts.append(f"{count:,} cells stand without the unit {style.unit!r} of the others, and were read alike")
    return [f"Column {name!r}: {one}. {overrule(name, 'category')}" for one in doubts]


def sentinel(name: str, finite: NDArray[np.float64]) -> list[str]:
    """Say that one of the numbers (b,), such as -999, may stand for "missing"."""
    low, high = (float(finite.min()), float(finite.max())) if len(finite) else (0.0, 0.0)
    for number in (-99.0, -999.0, -9999.0, -99999.0, 999.0, 9999.0, 99999.0):
        if not low <= number <= high:
            continue
        hits = int((finite == number).sum())
        if not hits or hits == len(finite):
            continue
        others = finite[finite != number]
        apart = others.min() > number / 3 and others.min() >= -30 if number < 0 else others.max() < number / 5
        if hits >= 2 and apart and hits < 0.5 * len(finite):
            return [
                f"Column {name!r}: {number:g} stands in {hits:,} cells, far from the others; it was read as a value. "
                f"If it means missing: {_flag(name, f'number,na={number:g}')}."
            ]
    return []


def clock_doubt(name: str, days: NDArray[np.float64]) -> tuple[str, ...]:
    """Say that a time of day (b,), as fractions of a day, can be a duration."""
    finite = days[np.isfinite(days)]
    what = "a time of day in hours; a duration in hours has the same numbers"
    if not len(finite) or finite.max() >= 1.0:
        what = "a duration in hours"
    return (f"Column {name!r} was read as {what}. If it holds ratios or scores: {_flag(name, 'category')}.",)


def why_code(text: pl.Series) -> str:
    """Say why digits are names and no numbers, or nothing."""
    known = text.drop_nulls()
    zeros = known.filter(known.str.starts_with("0"))
    zeros = zeros.filter(zeros.str.contains(_ZERO_CODE))
    count = len(zeros)
    if count and (count >= 0.01 * len(known) or _one_width(known)):
        return f"{count:,} cells such as {zeros[0]!r} begin with 0: read as codes, not as numbers."
    long = known.filter(known.str.len_bytes() >= 16)
    long = long.filter(long.str.contains(r"^[+-]?\d{16,}$"))
    if len(long) and bool((long.cast(pl.Float64).abs() >= EXACT).any()):
        return TOO_LONG
    return ""


def _one_width(known: pl.Series) -> bool:
    digits = known.filter(known.str.contains(r"^\d+$"))
    return len(digits) >= MOSTLY * len(known) and digits.str.len_chars().n_unique() == 1


def numbered(text: pl.Series) -> bool:
    """Tell whether most cells are a number of many with something behind it."""
    known = text.drop_nulls().head(HEAD)
    begins = known.str.extract(r"^[+-]?(\d+(?:[.,]\d+)?)\s?[^\d\s.,:/-]")
    return len(known) > 0 and begins.null_count() <= 0.1 * len(known) and begins.n_unique() > FEW // 2


def overrule(name: str, settings: str) -> str:
    """Say which option gets the other reading."""
    return f"To read it the other way: {_flag(name, settings)}."


def _flag(name: str, settings: str) -> str:
    return f"--column '{name}={settings}'"


def first(text: pl.Series, pattern: str) -> str:
    """Return the first cell that matches, or an empty text."""
    for part in (text.head(HEAD), text.slice(HEAD)):  # most often it is among the first
        found = part.filter(part.str.contains(pattern).fill_null(False))
        if len(found):
            return str(found[0])
    return ""
