"""Read one cell of text as a number, by the style of its column: the one reader for files, targets and requests.

Standard library alone. The reader of files (``data.values``) takes a fast road for whole columns of plain numbers and
asks ``NumberStyle.read`` about every other cell, so a cell means the same wherever it comes from.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from temperance.records.plainer import plain_number

#: Words that stand for a missing value in every column (lower case; the empty string too).
MISSING_WORDS = frozenset({"", "?", "na", "n/a", "#n/a", "nan", "null", "<na>"})
#: Words that stand for a missing value only where numbers or dates are expected; elsewhere they are a category.
WEAK_MISSING_WORDS = frozenset({"-", "--", ".", "none", "missing", "n.a.", "nil", "#value!", "#div/0!", "unknown"})
#: Letters without width that spreadsheets and web pages leave behind.
INVISIBLE = "\u200b\u200c\u200d\u2060\ufeff\u00ad"
#: What may stand before a number.
CURRENCIES = (
    *("$", "€", "£", "¥", "₹", "₽", "₺", "₩", "₪", "฿", "R$", "US$", "A$", "C$", "Fr.", "Rs.", "Rs", "kr"),
    *("EUR", "USD", "GBP", "CHF", "JPY", "CNY", "INR", "SEK", "NOK", "DKK", "PLN", "CZK", "HUF", "AUD", "CAD"),
    *("NZD", "BRL", "MXN", "ZAR", "TRY", "RUB", "KRW", "SGD", "HKD"),
)
EXACT = 2**53  # above it float64 holds not every whole number

_INVISIBLE = re.compile(f"[{INVISIBLE}]")
_SPACES = " \u00a0\u202f\u2009"
_BEFORE = "|".join(re.escape(one) for one in sorted(CURRENCIES, key=len, reverse=True))
_CELL = re.compile(
    rf"(?P<sign>[+-]?)[{_SPACES}]?(?P<before>{_BEFORE})?[{_SPACES}]?(?P<inner>[+-]?)"
    rf"(?P<core>\d(?:[\d.,]|['’_{_SPACES}](?=\d))*|[.,]\d+)(?P<exponent>[eE][+-]?\d{{1,4}})?"
    rf"(?P<after>[{_SPACES}]?[^\W\d_][^\d,;()\[\]<>\"]{{0,14}}[²³]?|[{_SPACES}]?[%‰°$€£¥₹₽₺₩₪฿µ][^\d,;()\[\]<>\"]{{0,9}})?(?P<last>-?)",
    re.ASCII,
)
_GROUPS = {
    ".": re.compile(r"[1-9]\d{0,2}(?:\.\d{3})+"),
    ",": re.compile(r"[1-9]\d{0,2}(?:,\d{3})+|[1-9]\d?(?:,\d{2})+,\d{3}"),
    " ": re.compile(rf"[1-9]\d{{0,2}}(?:[{_SPACES}]\d{{3}})+"),
    "'": re.compile(r"[1-9]\d{0,2}(?:['’]\d{3})+"),
    "_": re.compile(r"[1-9]\d{0,2}(?:_\d{3})+"),
}
_PLAIN = re.compile(r"\d*")
#: A plain number, which is compared as a number with the words for "missing".
DIGITS = re.compile(r"[+-]?[0-9]+(?:\.[0-9]*)?")


class Anatomy(NamedTuple):
    """The parts of a number as it is written.

    Attributes:
        negative: it carries a minus, or brackets round it.
        whole: digits before the decimal mark, with what groups them.
        exponent: ``e`` and what follows, else empty.
        unit: currency or unit, before or after it; else empty.

    """

    negative: bool
    whole: str
    exponent: str
    unit: str


@dataclass(frozen=True)
class NumberStyle:
    """How the numbers of a column are written.

    Thousands count in whole groups only. Spaces and apostrophes between groups are read in every style; a lone group
    (``1,234`` with decimal points, ``1.234`` with decimal commas) is read where ``grouped`` says so.

    Attributes:
        decimal: the decimal sign, ``.`` or ``,``.
        grouped: the other sign groups thousands.
        unit: currency or unit that may stand beside the number.

    """

    decimal: str = "."
    grouped: bool = False
    unit: str = ""

    @classmethod
    def of(cls, form: str, unit: str = "") -> NumberStyle:
        """Rebuild from ``form``; anything but ``.``, ``,`` and both means decimal points without groups."""
        return cls("," if form[:1] == "," else ".", len(form) == 2, unit)

    @property
    def form(self) -> str:
        """The style in a word: decimal sign and thousands sign; empty for plain decimal points."""
        other = "." if self.decimal == "," else ","
        return self.decimal + other if self.grouped else ("," if self.decimal == "," else "")

    @property
    def example(self) -> str:
        """A number in this style."""
        other = "." if self.decimal == "," else ","
        return f"1{other if self.grouped else ''}234{self.decimal}5{' ' if self.unit else ''}{self.unit}"

    def read(self, text: str, missing: Collection[str] | None = None) -> float:
        """Read a cell; a word for "missing" gives NaN.

        Args:
            text: the cell.
            missing: the words that stand for "missing" in this column (lower case); None: the usual ones.

        Raises:
            ValueError: it is no number, or written in another style.

        """
        word = tidy(text)
        if is_missing_word(word, missing, weak=True):
            return math.nan
        if word.lower().lstrip("+-") in ("inf", "infinity"):
            return float(word)
        parts = anatomy(word)
        if parts is None or parts.unit not in ("", self.unit):
            raise ValueError(text)
        digits = self._digits(parts.whole, plain=bool(parts.exponent))
        if digits is None:
            raise ValueError(text)
        value = float(digits + parts.exponent)
        value = -value if parts.negative else value
        return math.nan if missing and value in sentinels(missing) else value

    def fits(self, text: str) -> bool:
        """Tell whether a cell is a number of this style."""
        try:
            self.read(text)
        except ValueError:
            return False
        return True

    def _digits(self, core: str, *, plain: bool) -> str | None:
        """Return the number with a decimal point and without groups (``plain``: it may have none), or None."""
        other = "." if self.decimal == "," else ","
        whole, mark, rest = core.partition(self.decimal)
        if not _PLAIN.fullmatch(rest) or not (whole or rest):
            return None
        if _PLAIN.fullmatch(whole):
            return f"{whole or '0'}.{rest or '0'}"
        for sign in () if plain else (" ", "'", "_", other):
            if _GROUPS[sign].fullmatch(whole):
                lone = sign == other and not mark and whole.count(sign) == 1
                return None if lone and not self.grouped else f"{re.sub(r'[^0-9]', '', whole)}.{rest or '0'}"
        return None


@lru_cache(maxsize=4096)
def anatomy(word: str) -> Anatomy | None:
    """Return the parts of a number, or None where ``word`` is none."""
    word = plain_number(word)
    brackets = word.startswith("(") and word.endswith(")")
    found = _CELL.fullmatch(word[1:-1].strip() if brackets else word)
    if found is None:
        return None
    signs = found["sign"] + found["inner"] + found["last"]
    before, after = found["before"] or "", (found["after"] or "").strip(_SPACES)
    if len(signs) > 1 or (brackets and signs):
        return None
    return Anatomy(brackets or "-" in signs, found["core"], found["exponent"] or "", before + after)


def fold(text: str) -> str:
    """Return what spellings of one word have in common: letter case, Unicode form and blanks do not count."""
    return " ".join(unicodedata.normalize("NFC", tidy(text)).casefold().split())


def tidy(text: str) -> str:
    """Return text without blanks at its ends and without letters that cannot be seen."""
    return _INVISIBLE.sub("", text).strip() if not text.isascii() else text.strip()


def sentinels(words: Collection[str] | None) -> frozenset[float]:
    """Return the numbers among words that stand for "missing": ``-999`` stands for ``-999.0`` too."""
    return _numbers(tuple(words)) if words else frozenset()


@lru_cache(maxsize=1024)
def _numbers(words: tuple[str, ...]) -> frozenset[float]:
    found = set()
    for word in words:
        try:
            found.add(float(word))
        except ValueError:
            continue
    return frozenset(found)


def is_missing_word(text: str, words: Collection[str] | None = None, *, weak: bool) -> bool:
    """Tell whether ``text`` stands for a missing value.

    Args:
        text: the cell.
        words: the words of this column, in lower case; None: the usual ones. An empty cell is always missing; a number
            among them stands for each way to write it (``-999`` for ``-999.0``).
        weak: add the words that are used so only where numbers and dates are expected.

    """
    word = text.strip().lower()
    if words is not None:
        return not word or word in words or (bool(DIGITS.fullmatch(word)) and float(word) in sentinels(words))
    return word in MISSING_WORDS or (weak and word in WEAK_MISSING_WORDS)
