"""Tells a study's own English sentences in the page's language; what it does not know stays as it was written."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from importlib.resources import files

NESTED = ("rest", "why", "check")  # places that hold sentences themselves
PLACE = re.compile(r"\{(\w+)\}")


@cache
def _patterns(language: str) -> list[tuple[re.Pattern[str], str]]:
    file = files("temperance.report") / f"told.{language}.toml"
    pairs = tomllib.loads(file.read_text(encoding="utf-8"))["told"] if file.is_file() else {}
    ordered = sorted(pairs.items(), key=lambda pair: -len(PLACE.sub("", pair[0])))  # the most words first
    return [(re.compile(_pattern(source)), goal) for source, goal in ordered]


def _pattern(source: str) -> str:
    parts = PLACE.split(source)
    return "".join(re.escape(p) if i % 2 == 0 else f"(?P<{p}>{_value(p)})" for i, p in enumerate(parts))


def _value(place: str) -> str:
    """Match any text in a place that is told in turn, else one that ends with its sentence."""
    return ".+?" if place in NESTED else r"(?:(?!\. ).)+?"


def told(text: str, language: str) -> str:
    """Return the sentence in this language.

    A whole text is looked up first, then sentence by sentence; either all of it is told or nothing is changed.
    """
    whole = _one(text, language)
    if whole is not None:
        return whole
    parts = [_one(part, language) for part in re.split(r"(?<=\.) (?=\S)", text)]
    return " ".join(part for part in parts if part is not None) if None not in parts else text


def _one(text: str, language: str) -> str | None:
    for pattern, goal in _patterns(language):
        found = pattern.fullmatch(text)
        if found:
            values = {k: told(v, language) if k in NESTED else v for k, v in found.groupdict().items()}
            return PLACE.sub(lambda place, values=values: values[place[1]], goal)  # type: ignore[misc]
    return None
