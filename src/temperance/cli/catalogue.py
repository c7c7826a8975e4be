"""All techniques as plain records, derived from their classes; the command line and the docs show the same."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from temperance.core.presets import Preset
    from temperance.core.regularizer import Regularizer


def catalogue() -> list[dict[str, Any]]:
    """Return every registered technique, by family and name."""
    rows = [describe(cls) for _, cls in _registry().items()]
    return sorted(rows, key=lambda row: (row["family"], row["name"]))


def entry(name: str) -> dict[str, Any]:
    """Return one technique.

    Raises:
        SettingError: there is none of this name; the nearest is named.

    """
    return describe(_registry()[name])


def describe(cls: type[Regularizer]) -> dict[str, Any]:
    """Return what is known about one technique, JSON-safe."""
    from temperance.records.names import snake

    stages = list(cls.stages())
    return {
        "name": cls.__name__, "address": snake(cls.__name__), "family": cls.family,
        "stage": stages[0] if stages else "", "stages": stages, "summary": cls.summary(),
        "doc": inspect.getdoc(cls) or "",
        "strengths": {name: {"name": name, **strength.to_dict()} for name, strength in cls.strengths.items()},
        "cost": cls.cost.to_dict(),
        "references": [{**one.to_dict(), "text": str(one)} for one in cls.citations],
        "rank": cls.rank.name.lower(), "averages": cls.averages, "unique": cls.unique, "roles": list(cls.roles),
        "exceptions": dict(cls.exceptions), "module": cls.__module__,
    }  # fmt: skip


def preset_rows(name: str | None = None) -> list[dict[str, Any]]:
    """Return all presets, or the one of this name, JSON-safe; a setting that is asked for stands as its name.

    Raises:
        SettingError: there is none of this name; the nearest is named.

    """
    from temperance.core import presets

    _registry()
    return [_preset(presets.preset(one)) for one in ([name] if name else presets.names())]


def _preset(one: Preset) -> dict[str, Any]:
    from temperance.core.recipe import Recipe

    recipe = Recipe.from_dict(one.fill({asked: asked.upper() for asked in one.asks}))
    return {
        "name": one.name, "words": one.words, "why": one.why, "asks": dict(one.asks),
        "techniques": [f"- {part.explain()}" for part in recipe.regularizers],
        "recipe": recipe.to_dict(), "toml": recipe.to_toml(), "evidence": "docs/presets.md",
    }  # fmt: skip


def _registry() -> Any:
    import temperance.regularizers  # noqa: F401  # fills the registry
    from temperance.core.regularizer import techniques

    return techniques
