"""Turns keys of the catalogue into text. Another language is another catalogue and another ``Style``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from markupsafe import Markup

from temperance.report.forms import Style
from temperance.report.words import CATALOGUES, MONTHS

STYLES = {"en": Style(".", ",", MONTHS["en"])}


@dataclass(frozen=True)
class Words:
    """The texts of one language."""

    language: str = "en"

    @property
    def catalogue(self) -> Mapping[str, str]:
        """Texts by key."""
        return CATALOGUES[self.language]

    @property
    def style(self) -> Style:
        """Marks for numbers and dates."""
        return STYLES[self.language]

    def say(self, key: str, **values: object) -> Markup:
        """Return the text of ``key`` with its places filled; what is not markup already is escaped.

        With ``count`` given and equal to 1, the text under ``key.one`` is taken where there is one.
        """
        if values.get("count") == 1 and f"{key}.one" in self.catalogue:
            key = f"{key}.one"
        return Markup(self.catalogue[key]).format(**values)  # noqa: S704 (the catalogue is ours)

    def knows(self, key: str) -> bool:
        """Whether the catalogue has this key."""
        return key in self.catalogue
