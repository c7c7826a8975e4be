"""Bring odd ways to write a number, a moment or a duration into the plain one. Standard library alone."""

from __future__ import annotations

import re
import unicodedata

#: Signs that are a minus.
MINUS = "\u2212\u2013\ufe63\uff0d"
_MINUS = re.compile(f"[{MINUS}]")
_NUMBERS = (
    (re.compile(r"(?<=\d)[.,][-\u2010-\u2015]{1,2}(?=$|[\s€$£])"), ""),  # 5,- and 5,– €
    (re.compile(r"(?<=[\d%)])\s?\[\w{1,2}\]$"), ""),  # 12.5[1]
    (re.compile(r"^([$€£¥])\s?\((.+)\)$"), r"(\1\2)"),
    (re.compile(r"(?<=\d)\s?[x×·*]\s?10\s?\^\s?([+-]?\d{1,3})$"), r"e\1"),
    (re.compile(r"^([+-]?\d+\.\d+)D(?=[+-]\d{2,3}$)"), r"\1e"),
    (re.compile(r"^-\s(?=[\d.,])"), "-"),
)
_AREA = re.compile(r"\[[A-Z]\w+(?:/\w+)*\]$")  # [Europe/Berlin] behind an offset
_WRAPPED = re.compile(r"^\[(.*)\]$")
_LOGGED = re.compile(r"(?<=\d{4}):(?=\d\d:\d\d)")  # 02/Jan/2023:15:04:05
_CTIME = re.compile(r"^[^\W\d_]{3}\s+([^\W\d_]{3})\s+(\d{1,2})\s+(\d\d:\d\d(?::\d\d)?)\s+(\d{4})$")
_ORDINAL = re.compile(r"(?<=\d)(?:st|nd|rd|th|er|º|ª)(?=[\s,.])")
_BETWEEN = re.compile(r"(?<=[\w.])\sdel?\s|,\s(?=\d{1,2}:\d\d)")  # 4 de enero de 2023; 2.1.2023, 15:04
_OCLOCK = re.compile(r"(?<=:\d\d)\s(?:Uhr|h|hrs)$")
_HALF_DAY = re.compile(r"(\d{1,2})\s?([AaPp])\.?[Mm]\.?")
_UNIT = {
    "d": r"(?:(?P<d>\d+)\s?d(?:ays?)?,?\s?)", "h": r"(?:(?P<h>\d+)\s?h(?:ours?|rs?|\.)?\s?)",
    "m": r"(?:(?P<m>\d+)\s?m(?:in(?:ute)?s?)?\.?\s?)", "s": r"(?:(?P<s>\d+(?:\.\d+)?)\s?s(?:ec(?:ond)?s?)?\.?)",
}  # fmt: skip
_LASTS = tuple(
    re.compile(form)
    for form in (
        r"P(?:(?P<d>\d+)D)?(?:T(?:(?P<h>\d+)H)?(?:(?P<m>\d+)M)?(?:(?P<s>\d+(?:\.\d+)?)S)?)?",
        r"(?:(?P<d>\d+)\s?d(?:ays?)?,?\s)(?P<h>\d{1,2}):(?P<m>\d\d)(?::(?P<s>\d\d(?:\.\d+)?))?",
        r"(?P<h>\d{1,2})h(?P<m>\d\d)",
        "{d}?{h}{m}{s}?".format(**_UNIT), "{d}{h}{m}?{s}?".format(**_UNIT), "{m}{s}".format(**_UNIT),
    )
)  # fmt: skip
#: What a duration can look like, for a first look at many cells.
LASTING = (
    r"^(?:P\d*[DT]\S*|(?:\d+\s?d\w*,?\s)?\d{1,2}(?::\d\d){1,2}"
    r"|(?:\d+\s?(?:d|h|m|s)[a-z]*\.?,?\s?)+(?:\d\d)?|\d{1,2}\s?[AaPp]\.?[Mm]\.?)$"
)


def plain_number(word: str) -> str:
    """Return a number with plain digits and signs: prices without cents, notes behind it, exponents."""
    if not word.isascii():
        word = "".join(str(unicodedata.decimal(one)) if one.isdecimal() else one for one in word)
    for form, plainer in _NUMBERS:
        word = form.sub(plainer, word)
    return _MINUS.sub("-", word)


def plain_moment(word: str) -> str:
    """Return a moment as day and hours: without brackets, ordinals, words between, the name of the area."""
    word = _WRAPPED.sub(r"\1", _AREA.sub("", word))
    word = _CTIME.sub(r"\2 \1 \4 \3", _LOGGED.sub(" ", word))
    return _OCLOCK.sub("", _BETWEEN.sub(" ", _ORDINAL.sub("", word)))


def lasting(word: str) -> float | None:
    """Return a duration such as ``1h 30m``, ``PT1H30M``, ``2 days 03:04:05`` or an hour such as ``3 PM`` in days."""
    half = _HALF_DAY.fullmatch(word)
    if half is not None and 1 <= int(half[1]) <= 12:
        return (int(half[1]) % 12 + (12 if half[2] in "pP" else 0)) / 24.0
    for form in _LASTS:
        found = form.fullmatch(word)
        if found is not None and any(found.groupdict().values()):
            part = {key: float(value or 0.0) for key, value in found.groupdict().items()}
            hours = part.get("h", 0.0) * 3600 + part.get("m", 0.0) * 60 + part.get("s", 0.0)
            return part.get("d", 0.0) + hours / 86400.0
    return None
