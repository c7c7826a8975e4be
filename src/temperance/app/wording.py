"""Decisions about columns in plain words, and what may be chosen for each."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import Any

from temperance.data.choices import ColumnChoice
from temperance.records.cells import NumberStyle
from temperance.records.moments import EPOCH, parse_days

PATTERN_WORDS = {
    "%d/%m/%Y": "31/12/2024", "%m/%d/%Y": "12/31/2024", "%d.%m.%Y": "31.12.2024", "%m.%d.%Y": "12.31.2024",
    "%d-%m-%Y": "31-12-2024", "%m-%d-%Y": "12-31-2024", "%Y-%m-%d": "2024-12-31", "iso": "2024-12-31",
    "%d/%m/%y": "31/12/24", "%m/%d/%y": "12/31/24",
}  # fmt: skip
COMMON = (
    "number,decimal=.", "number,decimal=,", "number,decimal=.,thousands=,", "number,decimal=,,thousands=.", "category",
    "text", "set", "date,pattern=iso", "date,pattern=%d/%m/%Y", "date,pattern=%m/%d/%Y", "date,pattern=%d.%m.%Y",
    "keep", "drop",
)  # fmt: skip

KINDS = {"text": "text, of which words are used", "set": "several values in a cell"}


def describe(how: str) -> str:
    """Return ``number,decimal=,`` and the like in words.

    Raises:
        SettingError: it cannot be understood.

    """
    choice = ColumnChoice.of(how)
    if choice.read == "number":
        words = _number(choice)
    elif choice.read == "date":
        shown = PATTERN_WORDS.get(choice.pattern, choice.pattern)
        words = f"dates, written as {shown}" if shown else "dates"
    else:
        plain = {"category": "words or codes, not numbers", "keep": "used, whatever it looks like", **KINDS}
        words = {**plain, "drop": "left out", "auto": "as it was found"}[choice.read]
    missing = f"; {', '.join(choice.missing)} means missing" if choice.missing else ""
    return words + missing


def as_read(column: dict[str, Any]) -> str:
    """Return how a column was read, in words."""
    if column["why"]:
        return "left out"
    kind, written = column["read"], str(column["written"])
    if kind == "number":
        style, _, unit = written.partition(" ")
        decimal, thousands = style[:1] or ".", style[1:2]
        words = _number(ColumnChoice("number", decimal, thousands))
        return f"{words}, in {unit}" if unit else words
    if kind == "date":
        return f"dates, written as {PATTERN_WORDS.get(written, written)}" if written else "dates"
    return {"category": "words or codes", **KINDS}.get(kind, "nothing that can be read")


def offered(column: dict[str, Any], chosen: str) -> list[tuple[str, str]]:
    """Return value and label of what may be chosen for a column: what was found, what is doubted, what is usual."""
    found = [("", f"as found: {as_read(column)}" if not chosen else "as found by itself")]
    values = dict.fromkeys([*([chosen] if chosen else []), *column["others"], *COMMON])
    return found + [(value, describe(value)) for value in values]


def written(choice: ColumnChoice) -> str:
    """Return a choice as ``--column`` takes it, without the column."""
    row = {key: value for key, value in choice.to_dict().items() if key not in ("read", "missing")}
    return ",".join([choice.read, *(f"{key}={value}" for key, value in row.items())])


def means(how: str, column: dict[str, Any]) -> str:
    """Say what a reading makes of the first value of the file that it reads otherwise than as it stands."""
    for example in column["examples"]:
        told = _value(ColumnChoice.of(how), example)
        if told and told != example:
            return f"; {example} is {told}"
    return ""


def dated(sentence: str) -> str:
    """Return a sentence with a day instead of each pattern of dates."""
    for pattern, shown in PATTERN_WORDS.items():
        sentence = sentence.replace(pattern, shown) if "%" in pattern else sentence
    return sentence


def _value(choice: ColumnChoice, example: str) -> str:
    try:
        if choice.read == "number":
            style = choice.style or NumberStyle()
            value = style.read(example)
            return "" if math.isnan(value) else f"{value:.12g}"
        if choice.read == "date" and choice.pattern:
            days = parse_days(example, pattern=choice.pattern)
            return "" if math.isnan(days) else _day(days)
    except ValueError:
        return "missing"
    return ""


def _day(days: float) -> str:
    moment = EPOCH + timedelta(days=math.floor(days))
    return f"{moment.day} {moment:%B} {moment.year}"


def _number(choice: ColumnChoice) -> str:
    if choice.thousands:
        return f"numbers such as 1{choice.thousands}234{choice.decimal or '.'}5"
    return f"numbers such as 1234{choice.decimal or '.'}5"
