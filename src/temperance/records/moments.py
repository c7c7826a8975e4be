"""Read one cell of text as a moment, by the pattern of its column, and take its parts. Standard library and NumPy."""

from __future__ import annotations

import math
import re
from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from temperance.records.cells import is_missing_word, tidy
from temperance.records.plainer import lasting, plain_moment

#: Day patterns that are tried beside ISO 8601, in this order: on a tie the first one wins.
DAY_FORMATS = (
    *("%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%d-%m-%Y", "%m-%d-%Y", "%Y/%m/%d", "%d %b %Y", "%d-%b-%Y", "%b %d, %Y"),
    *("%d/%m/%y", "%m/%d/%y", "%d.%m.%y", "%d-%m-%y", "%m-%d-%y", "%y-%m-%d", "%d-%b-%y"),
    *("%d %B %Y", "%d. %B %Y", "%d. %b %Y", "%B %d, %Y", "%B %d %Y", "%b %d %Y", "%Y.%m.%d"),
    *("%d%b%Y", "%Y-%b-%d", "%b-%d-%Y", "%d/%b/%Y", "%G-W%V-%u"),
    *("%Y-%m", "%m/%Y", "%B %Y", "%b %Y", "%b-%y", "%Y%m%d"),
)
#: Patterns that are no day patterns: quarters, seconds and milliseconds since 1970, a time of day or a duration.
QUARTER, EPOCH_SECONDS, EPOCH_MILLISECONDS, CLOCK = "quarter", "epoch_s", "epoch_ms", "clock"
#: Microseconds since 1970; days since 1899-12-30, as spreadsheets count them; ``20230104153000``.
EPOCH_MICROSECONDS, EXCEL, DENSE = "epoch_us", "excel", "%Y%m%d%H%M%S"
#: Patterns of plain numbers: the number of 1970-01-01, and how many a day has.
COUNTS = {
    EPOCH_SECONDS: (0.0, 86_400.0), EPOCH_MILLISECONDS: (0.0, 86_400_000.0),
    EPOCH_MICROSECONDS: (0.0, 86_400_000_000.0), EXCEL: (25_569.0, 1.0),
}  # fmt: skip
PATTERNS = ("iso", *DAY_FORMATS, QUARTER, *COUNTS, DENSE, CLOCK)
#: What may follow the day.
HOUR_FORMATS = ("", " %H:%M:%S", " %H:%M", " %I:%M %p", " %I:%M:%S %p")
#: Parts of a moment, and of a time of day (``sin`` and ``cos`` place it on the circle of 24 hours).
PARTS = ("days", "month", "weekday", "hour", "hours", "sin", "cos")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
#: Days that stand for "no date": before the year 2 and from 9000 on, and texts of zeros.
FIRST_YEAR, LAST_YEAR = 2, 8999

_QUARTER = re.compile(r"(?:(?P<y1>\d{4})[-/ ]?[Qq](?P<q1>[1-4])|[Qq](?P<q2>[1-4])[-/ ]?(?P<y2>\d{4}))")
_CLOCK = re.compile(r"(\d{1,4}):(\d{2})(?::(\d{2}(?:[.,]\d+)?))?\s?([AaPp])?(?(4)\.?[Mm]\.?)")
_MINUTES = re.compile(r"(\d{1,4}):([0-5]\d[.,]\d+)")  # a fraction says that the last part is seconds
_ZONE = re.compile(r"(?<=\d)\s?(?:UTC|GMT|Z)$")
_NAMED = re.compile(r"(?<=\d)\s([ECMP][SD]T|CES?T)$")
_ZONES = {"EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7, "CET": 1, "CEST": 2}
_OFFSET = re.compile(r"(?<=:\d\d)\s?([+-])(\d\d):?(\d\d)$")
_ZEROS = re.compile(r"0{2,4}[-/.]0{1,2}[-/.]0{1,4}(?:[T ][0:.]+)?")
_LETTERS = re.compile(r"[^\W\d_]+\.?")
_MONTHS = {
    **dict.fromkeys(
        ("januar", "jänner", "janvier", "enero", "gennaio", "janeiro", "januari", "janv", "jän"), "January"
    ),
    **dict.fromkeys(("februar", "février", "febrero", "febbraio", "fevereiro", "februari", "fév", "févr"), "February"),
    **dict.fromkeys(("märz", "mars", "marzo", "março", "maart", "mrz", "mär"), "March"),
    **dict.fromkeys(("avril", "abril", "aprile", "avr", "abr"), "April"),
    **dict.fromkeys(("mai", "mayo", "maggio", "maio", "mei"), "May"),
    **dict.fromkeys(("juni", "juin", "junio", "giugno", "junho"), "June"),
    **dict.fromkeys(("juli", "juillet", "julio", "luglio", "julho", "juil"), "July"),
    **dict.fromkeys(("août", "agosto", "augustus", "augusti"), "August"),
    **dict.fromkeys(("septembre", "septiembre", "settembre", "setembro", "sept"), "September"),
    **dict.fromkeys(("oktober", "octobre", "octubre", "ottobre", "outubro", "okt"), "October"),
    **dict.fromkeys(("novembre", "noviembre", "novembro"), "November"),
    **dict.fromkeys(
        ("dezember", "décembre", "diciembre", "dicembre", "dezembro", "december", "dez", "déc"), "December"
    ),
}
_NAMES = ("january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november")
_ENGLISH = frozenset({*_NAMES, "december", *(name[:3] for name in _NAMES), "dec"})
_DAYS = frozenset({"mon", "tue", "wed", "thu", "fri", "sat", "sun", "mo", "di", "mi", "do", "fr", "sa", "so"})
_ISO = re.compile(r"\d{4}-\d{1,2}-\d{1,2}(?:$|[T ])|\d{8}T\d{4}(?:\d\d)?$")
_WEEKDAY = re.compile(r"^[^\W\d_]{2,10}\.?,\s+")


def parse_days(text: str, *, pattern: str = "iso", missing: Collection[str] | None = None) -> float:
    """Read a date or moment as days since 1970-01-01 (UTC, with fractions); a time of day as the fraction of a day.

    A missing word and a day that stands for "no date" (``0000-00-00``, ``9999-12-31``) give NaN.

    Args:
        text: the cell.
        pattern: one of ``PATTERNS``.
        missing: the words that stand for "missing" in this column (lower case); None: the usual ones.

    Raises:
        ValueError: it does not follow the pattern.

    """
    word = tidy(text)
    if is_missing_word(word, missing, weak=True) or _ZEROS.fullmatch(word):
        return math.nan
    if pattern == CLOCK:
        return _clock(word)
    if pattern in COUNTS:
        return _since_epoch(float(word), pattern)
    if pattern == DENSE:
        return _dense(word)
    if pattern == QUARTER:
        return _quarter(word)
    return _moment(word, pattern)


def days_of_number(value: float, pattern: str) -> float:
    """Return the days that a plain number stands for: seconds or milliseconds since 1970, ``20230104``, else days.

    Raises:
        ValueError: it is no day of the pattern.

    """
    if pattern in COUNTS:
        return _since_epoch(value, pattern)
    if pattern == DENSE and math.isfinite(value):
        return _dense(f"{value:.0f}")
    return _moment(f"{value:.0f}", pattern) if pattern == "%Y%m%d" and math.isfinite(value) else value


def date_part(days: NDArray[np.float64], part: str) -> NDArray[np.float64]:
    """Take a part of moments.

    Args:
        days: days since 1970-01-01 (for a time of day its fraction), any shape; NaN = missing.
        part: ``days``, ``month`` (1–12), ``weekday`` (0 = Monday), ``hour`` (0–23); of a time of day ``hours``, and
            ``sin`` and ``cos`` of its angle on the circle of 24 hours. ``has …`` (yes or no) is no part and unchanged.

    Returns:
        The part as float64, NaN where the moment is missing; the same shape.

    """
    if part == "days" or part.startswith("has "):
        return days
    if part == "hours":
        return days * 24.0
    if part in ("sin", "cos"):
        return np.sin(2 * np.pi * days) if part == "sin" else np.cos(2 * np.pi * days)
    known = np.isfinite(days)
    plain = days if known.all() else np.where(known, days, 0.0)
    whole = np.floor(plain)
    if part == "hour":
        value = np.floor(np.round((plain - whole) * 86400.0) / 3600.0)
        value = np.where(value == 24.0, 0.0, value)  # the last half second of a day belongs to the next
    else:
        value = _of_day(whole.astype(np.int64), part)
    return value if plain is days else np.where(known, value, np.nan)


def _of_day(days: NDArray[np.int64], part: str) -> NDArray[np.float64]:
    """Return month or weekday of whole days (any shape); where many fall into few years, each day is asked once."""
    low, high = (int(days.min()), int(days.max())) if days.size else (0, 0)
    if days.size > high - low:
        each: NDArray[np.float64] = _parts(np.arange(low, high + 1), part)[days - low]
        return each
    return _parts(days, part)


def _parts(days: NDArray[np.int64], part: str) -> NDArray[np.float64]:
    if part == "weekday":
        return ((days + 3) % 7).astype(np.float64)  # 1970-01-01 was a Thursday
    return (days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64) % 12 + 1).astype(np.float64)


def english(text: str) -> str:
    """Return a date with its month's name in English and without the name of the day before it."""
    found = _WEEKDAY.match(text)
    if found and found.group()[:2].lower() in {name[:2] for name in _DAYS}:
        text = text[found.end() :]
    return _LETTERS.sub(_month, text)


def _month(found: re.Match[str]) -> str:
    word = found.group().rstrip(".").lower()
    if word in _ENGLISH:
        return word
    return _MONTHS.get(word, found.group())


@lru_cache(maxsize=4096)
def _moment(word: str, pattern: str) -> float:
    plain, offset = _without_zone(plain_moment(word))
    iso = pattern in ("", "iso")
    if _ISO.match(plain):  # a full ISO date is one reading in every column
        try:
            return _days(datetime.fromisoformat(plain) - offset)
        except (ValueError, OverflowError):
            iso = True
    elif iso:
        raise ValueError(word)
    plain = plain if plain.isascii() and not any(letter.isalpha() for letter in plain) else english(plain)
    day = "%Y-%m-%d" if iso else pattern
    other = day.replace("%B", "%b") if "%B" in day else day.replace("%b", "%B")
    for form in dict.fromkeys((day, other)):
        for hours in HOUR_FORMATS:
            try:
                return _days(datetime.strptime(plain, form + hours) - offset)
            except (ValueError, OverflowError):
                continue
    raise ValueError(word)


def _without_zone(word: str) -> tuple[str, timedelta]:
    named = _NAMED.search(word)
    if named:
        return word[: named.start()], timedelta(hours=_ZONES[named[1]])
    found = _OFFSET.search(word)
    if found:
        shift = timedelta(hours=int(found[2]), minutes=int(found[3]))
        return word[: found.start()], shift if found[1] == "+" else -shift
    return _ZONE.sub("", word), timedelta()


def _clock(word: str) -> float:
    lasts = lasting(word)
    if lasts is not None:
        return lasts
    short = _MINUTES.fullmatch(word)
    if short is not None:
        return (int(short[1]) * 60 + float(short[2].replace(",", "."))) / 86400.0
    found = _CLOCK.fullmatch(word)
    if found is None or int(found[2]) > 59:
        raise ValueError(word)
    hours, seconds = int(found[1]), float((found[3] or "0").replace(",", "."))
    if found[4]:
        if not 1 <= hours <= 12:
            raise ValueError(word)
        hours = hours % 12 + (12 if found[4] in "pP" else 0)
    if seconds >= 60:
        raise ValueError(word)
    return (hours * 3600 + int(found[2]) * 60 + seconds) / 86400.0


def _since_epoch(value: float, pattern: str) -> float:
    first, each_day = COUNTS[pattern]
    return (value - first) / each_day


def _dense(word: str) -> float:
    if len(word) != 14 or not (word.isascii() and word.isdigit()):
        raise ValueError(word)
    return _days(datetime.strptime(word, DENSE))


def _quarter(word: str) -> float:
    found = _QUARTER.fullmatch(word)
    if found is None:
        raise ValueError(word)
    year, quarter = int(found["y1"] or found["y2"]), int(found["q1"] or found["q2"])
    return _days(datetime(year, 3 * quarter - 2, 1))


def _days(moment: datetime) -> float:
    if not FIRST_YEAR <= moment.year <= LAST_YEAR:
        return math.nan
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return (moment - EPOCH).total_seconds() / 86400.0
