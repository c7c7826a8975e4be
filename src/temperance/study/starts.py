"""Recipes that a study tries first: those that a user brings, from a file, from a tracker or with a ``Task``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from temperance.study.spec import Kind, TrialSpec

TAKEN = ("lr", "batch_size")  # settings that a start may bring; how long it is trained follows from the budget


def start_specs(starts: Iterable[Mapping[str, Any]], like: TrialSpec, settings: Mapping[str, Any]) -> list[TrialSpec]:
    """Return one trial per start.

    Args:
        starts: ``{"name", "recipe", "settings"}`` each; ``recipe`` as ``Recipe.to_dict`` gives it.
        like: a net's trial; its model, seed and architecture are kept, and that it is a folded run.
        settings: of the training.

    """
    found: dict[str, TrialSpec] = {}
    for row in starts:
        recipe = dict(row["recipe"])
        brought = row.get("settings") or {}
        taken = {name: kind(brought[name]) for name, kind in zip(TAKEN, (float, int), strict=True) if name in brought}
        adaptive = recipe.get("controller") is not None
        name = str(row["name"])
        found.setdefault(name, like.changed(
            id="", name=name, kind=_kind(recipe, like, adaptive=adaptive), recipe=recipe, adaptive=adaptive, slots=(),
            settings={**settings, **taken},
        ))  # fmt: skip
    return list(found.values())


def _kind(recipe: Mapping[str, Any], like: TrialSpec, *, adaptive: bool) -> Kind:
    if like.kind == "folded" and not adaptive:  # a folded run has no rows that a controller could read
        return "folded"
    return "cocktail" if len(recipe["regularizers"]) > 1 else "single"
