"""Turns keys of the catalogue ``words.<language>.toml`` into text. Another language is one more such file."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from markupsafe import Markup

from temperance.records.errors import SettingError, nearest
from temperance.report.forms import Style

ENGLISH = "en"


@cache
def _file(language: str, room: str) -> dict[str, Any]:
    return tomllib.loads((files(room) / f"words.{language}.toml").read_text(encoding="utf-8"))


@cache
def _catalogue(language: str, room: str) -> dict[str, str]:
    groups = (value for value in _file(language, room).values() if isinstance(value, dict))
    return {key: text for group in groups for key, text in group.items()}


def languages(room: str = "temperance.report") -> list[str]:
    """Return the languages that a room has a catalogue for."""
    names = [item.name.split(".") for item in files(room).iterdir()]
    return sorted(parts[1] for parts in names if len(parts) == 3 and parts[0] == "words" and parts[2] == "toml")


def check_language(language: str) -> None:
    """Refuse a language that the report has no words for.

    Raises:
        SettingError: there is no such file of words.

    """
    known = languages()
    if language not in known:
        remedy = nearest(language, known) or f"Use --language {ENGLISH}"
        raise SettingError(f"--language got {language!r}", f"one of {', '.join(known)}", remedy)


@dataclass(frozen=True)
class Words:
    """The texts of one language; ``room`` is the package that holds the catalogue."""

    language: str = "en"
    room: str = "temperance.report"

    @property
    def catalogue(self) -> Mapping[str, str]:
        """Texts by key."""
        return _catalogue(self.language, self.room)

    @property
    def style(self) -> Style:
        """Marks for numbers and dates."""
        marks = _file(self.language, "temperance.report")
        return Style(marks["decimal"], marks["thousands"], tuple(marks["months"]), marks["after_day"])

    def say(self, key: str, **values: object) -> Markup:
        """Return the text of ``key`` with its places filled; what is not markup already is escaped.

        With ``count`` given and equal to 1, the text under ``key.one`` is taken where there is one.
        """
        if values.get("count") == 1 and f"{key}.one" in self.catalogue:
            key = f"{key}.one"
        return Markup(self.catalogue[key]).format(**values)

    def knows(self, key: str) -> bool:
        """Whether the catalogue has this key."""
        return key in self.catalogue
