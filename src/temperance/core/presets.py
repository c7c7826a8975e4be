"""Recipes with a name, for common kinds of training; what each holds stands in ``presets.toml``."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from temperance.records.errors import SettingError, nearest

_PLACE = Path(__file__).with_name("presets.toml")
_ASKED = "$"  # a value that begins with it stands for a setting that is asked for


@dataclass(frozen=True)
class Preset:
    """A recipe by name.

    Attributes:
        name: of the preset.
        words: what it is for, one sentence.
        why: why these techniques, with sources.
        asks: settings that it cannot know, with what to give; None leaves one out.
        row: the recipe as ``Recipe.to_dict`` writes it, with ``$name`` where a setting goes.

    """

    name: str
    words: str
    why: str
    asks: Mapping[str, str]
    row: Mapping[str, Any]

    def fill(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return the recipe's dict with the settings in their places.

        Raises:
            SettingError: a setting is missing, or there is none of that name.

        """
        for name in given:
            if name not in self.asks:
                raise SettingError(
                    f"the preset {self.name!r} got {name}={given[name]!r}",
                    f"it asks for {', '.join(self.asks) or 'nothing'}",
                    "Change a technique with preset(…).replace(WeightDecay(0.05)), add one with preset(…) + EMA()",
                )
        for name, words in self.asks.items():
            if name not in given:
                raise SettingError(
                    f"the preset {self.name!r} was asked for without {name}",
                    f"{name} is {words}",
                    f"Write Recipe.preset({self.name!r}, {name}=…)",
                )
        parts = [
            {key: filled for key, value in one.items() if (filled := _filled(value, given)) is not None}
            for one in self.row["regularizers"]
        ]
        return {**self.row, "regularizers": parts}


def names() -> tuple[str, ...]:
    """Return the names of all presets."""
    return tuple(_read())


def preset(name: str) -> Preset:
    """Return the preset of this name.

    Raises:
        SettingError: there is none; the nearest is named.

    """
    known = _read()
    if name not in known:
        raise SettingError(f"there is no preset {name!r}", f"known are {', '.join(known)}", nearest(name, known))
    return known[name]


def _filled(value: Any, given: Mapping[str, Any]) -> Any:
    return given[value[1:]] if isinstance(value, str) and value.startswith(_ASKED) else value


@cache
def _read() -> dict[str, Preset]:
    rows = tomllib.loads(_PLACE.read_text(encoding="utf-8"))
    return {
        name: Preset(
            name,
            row["words"],
            row["why"],
            row.get("asks", {}),
            {k: row[k] for k in ("regularizers", "controller") if k in row},
        )
        for name, row in rows.items()
    }
