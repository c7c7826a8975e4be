"""What a recipe says of itself. Importing this loads torch: a worker says it when a trial ends."""

from __future__ import annotations

from typing import Any

import temperance.regularizers  # noqa: F401  # fills the registry
from temperance.core.recipe import Recipe


def text(recipe: dict[str, Any] | None) -> str:
    """Return the recipe as Python."""
    return "" if recipe is None else repr(Recipe.from_dict(recipe))


def explain(recipe: dict[str, Any] | None) -> str:
    """Return the recipe in plain words."""
    return "" if recipe is None else Recipe.from_dict(recipe).explain()


def toml(recipe: dict[str, Any] | None) -> str:
    """Return the recipe as TOML."""
    return "" if recipe is None else Recipe.from_dict(recipe).to_toml()


def citations(recipe: dict[str, Any] | None) -> list[str]:
    """Return the sources of the techniques used."""
    return [] if recipe is None else [str(source) for source in Recipe.from_dict(recipe).citations()]


def said(recipe: dict[str, Any] | None) -> dict[str, Any]:
    """Return all of it, as the event of a trial holds it."""
    told = {"text": text(recipe), "explanation": explain(recipe), "citations": citations(recipe)}
    return {**told, "toml": toml(recipe or {})}
