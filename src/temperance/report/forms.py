"""How a number is written: one named form per kind of figure. A form never changes the sign of a number."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date as date_of
from datetime import datetime, timedelta

HUGE = 1e12  # from here on a number is written with its power of ten
MOST_DECIMALS = 6
MINUS = "\u2212"
HYPHEN = "\u2011"  # inside a date; it never breaks and is no minus
THIN = "\u202f"  # narrow no-break space before a unit


@dataclass(frozen=True)
class Style:
    """Marks of a language: ``decimal`` point, ``thousands`` separator, names of the months, what follows a day."""

    decimal: str
    thousands: str
    months: tuple[str, ...]
    after_day: str = ""

    def mark(self, text: str) -> str:
        """Turn ``-1,234.5`` into the language's own marks."""
        swap = {",": self.thousands, ".": self.decimal, "-": MINUS}
        return "".join(swap.get(letter, letter) for letter in text)


def number(value: float) -> str:
    """Write three significant digits, large numbers in full."""
    if value == 0:
        return "0"
    size = abs(value)
    if size >= HUGE:
        return f"{value:.2e}"
    if size >= 1000:
        return f"{value:,.0f}"
    if size < 0.0001:
        return f"{value:.1e}"
    digits = max(0, 2 - math.floor(math.log10(size)))
    text = f"{value:.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def signed(value: float) -> str:
    """Write a difference, with its sign."""
    return ("+" if value > 0 else "") + number(value)


def hundred(value: float) -> str:
    """Write a share as a count of 100; never rounded to all or to none."""
    part = 100 * value
    if (part >= 99.5 and value < 1) or (0 < part < 0.5):
        return f"{part:.1f}" if 0.05 <= part <= 99.95 else f"{min(max(part, 0.01), 99.99):.2f}"
    return f"{part:.0f}"


def percent(value: float) -> str:
    """Write a share in percent with one decimal."""
    return f"{points(value)}{THIN}%"


def points(value: float) -> str:
    """Write a share in hundredths, with one decimal."""
    return f"{100 * value:.1f}"


def decimals(low: float, high: float) -> int:
    """Return the decimals that show the width of an interval with two digits, and no end with more than four."""
    half, size = (high - low) / 2, max(abs(low), abs(high))
    most = 3 if size == 0 else max(0, 3 - math.floor(math.log10(size)))
    return most if half <= 0 else min(max(1 - math.floor(math.log10(half)), 0), most)


def fitted(stem: str, low: float, high: float) -> str:
    """Return the form that follows the width of an interval, ``number`` or ``signed`` made exact.

    ``fixed:2``, for one; the form itself where that would take more than six decimals or a very large number.
    """
    places, size = decimals(low, high), max(abs(low), abs(high))
    return stem if places > MOST_DECIMALS or size >= HUGE else f"{_FITTED[stem]}:{places}"


def form_named(name: str) -> Callable[[float], str]:
    """Return a form by its name; ``fixed:2`` is one with two decimals, ``signed_fixed:2`` one with its sign."""
    stem, _, places = name.partition(":")
    if stem == "fixed":
        return lambda value: f"{value:,.{places}f}"
    if stem == "signed_fixed":
        return lambda value: f"{value:+,.{places}f}"
    return FORMS[name]


def span(value: float) -> str:
    """Write a time: seconds, minutes or hours."""
    if value < 10:
        return f"{value:.2g}{THIN}s" if value < 1 else f"{value:.1f}{THIN}s"
    whole = round(value)
    if whole < 90:
        return f"{whole}{THIN}s"
    if whole < 5400:
        return f"{whole // 60}{THIN}min" + (f" {whole % 60}{THIN}s" if whole % 60 else "")
    return f"{whole // 3600}{THIN}h {whole % 3600 // 60}{THIN}min"


def size(value: float) -> str:
    """Write bytes in decimal units."""
    for unit, scale in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if abs(value) >= scale:
            return f"{value / scale:.3g}{THIN}{unit}"
    return f"{value:.0f}{THIN}B"


def chance(value: float) -> str:
    """Write a p value."""
    return f"<{THIN}0.001" if value < 0.001 else f"{value:.3f}" if value < 0.01 else f"{value:.2f}"


def day(value: float) -> str:
    """Write days since 1970 as a date; what lies outside the calendar stays a number."""
    try:
        return (date_of(1970, 1, 1) + timedelta(days=math.floor(value))).isoformat().replace("-", HYPHEN)
    except OverflowError:
        return number(value)


_FITTED = {"number": "fixed", "signed": "signed_fixed"}
FORMS: dict[str, Callable[[float], str]] = {
    "count": lambda value: f"{value:,.0f}",
    "plain": lambda value: f"{value:.0f}",
    "number": number,
    "signed": signed,
    "hundred": hundred,
    "percent": percent,
    "tick_percent": lambda value: f"{100 * value:g}{THIN}%",
    "points": points,
    "signed_points": lambda value: f"{100 * value:+.1f}",
    "seconds": span,
    "milliseconds": lambda value: f"{number(value)}{THIN}ms",
    "bytes": size,
    "times": lambda value: f"{value:.2f}{THIN}×" if value < 10 else f"{value:.0f}{THIN}×",
    "chance": chance,
    "day": day,
}


def date(text: str, style: Style) -> str:
    """Write an ISO time as a date; text that is not one stays as it is."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return text
    return f"{moment.day}{style.after_day} {style.months[moment.month - 1]} {moment.year}"
