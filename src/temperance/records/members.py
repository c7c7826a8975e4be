"""Several values in one cell: cut it, and say whether it holds one of them. Standard library alone."""

from __future__ import annotations

import ast
import json
import math
from collections.abc import Collection
from typing import Any

from temperance.records.cells import is_missing_word, tidy

#: Begins the ``part`` of a yes/no column: ``has red``.
HAS = "has "
#: Stands for lists in brackets: ``["red", "blue"]``, ``{red,blue}``.
BRACKETS = "[]"
_PAIRS = {"[": "]", "{": "}", "(": ")"}


def members(text: str, sign: str) -> frozenset[str]:
    """Return the values in a cell.

    Args:
        text: the cell, not missing.
        sign: what stands between the values, or ``BRACKETS``.

    """
    if sign != BRACKETS:
        return frozenset(word.strip() for word in text.split(sign)) - {""}
    listed = bracketed(text)
    return frozenset({text}) if listed is None else listed


def bracketed(text: str) -> frozenset[str] | None:
    """Return the values of a list of JSON or Python, or of words in brackets; None where it is no list of values."""
    text = text.strip()
    if len(text) < 2 or _PAIRS.get(text[0]) != text[-1]:
        return None
    for read in (json.loads, ast.literal_eval):
        try:
            found = read(text)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            continue
        flat = isinstance(found, (list, tuple, set)) and not any(isinstance(one, (list, dict, tuple)) for one in found)
        return frozenset(_word(one) for one in found) - {""} if flat else None
    words = frozenset(word.strip().strip("'\"") for word in text[1:-1].split(",")) - {""}
    return None if any(sign in word for word in words for sign in "[]{}():") else words


def has(value: Any, word: str, sign: str, missing: Collection[str] | None = None) -> float:
    """Return 1 where a cell holds ``word``, 0 where it does not, NaN where the cell is missing.

    Args:
        value: the cell, or a list of values as a request may hold it.
        word: one of the values.
        sign: what stands between them, or ``BRACKETS``.
        missing: the words that stand for "missing" in this column (lower case); None: the usual ones.

    Raises:
        ValueError: it is neither a value nor a list of values.

    """
    if isinstance(value, (list, tuple)):
        known = [one for one in value if one is not None]
        if any(isinstance(one, (list, tuple, dict)) for one in known):
            raise ValueError(value)
        # an empty list is written as an empty cell in files, but as "[]" where cells have brackets
        return float(word in {_word(one) for one in known}) if known or sign == BRACKETS else math.nan
    if isinstance(value, dict):
        raise ValueError(value)
    text = tidy(_word(value))
    if is_missing_word(text, missing, weak=False):
        return math.nan
    return float(word in members(text, sign))


def _word(one: Any) -> str:
    return str(one).lower() if isinstance(one, bool) else str(one).strip()
