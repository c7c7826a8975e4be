"""Strengths of shape (k,): a value of its own for each member of a net whose members share nothing.

Such a net says so: it has ``members`` (k) and ``members_of(name)``, the members whose weights a parameter holds along
its first axis (a slice), or None for a parameter that members share. Inside the net a member is a place on the first
axis, (k, b, …).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from temperance.core.devices import exact
from temperance.core.recipe import Recipe
from temperance.core.regularizer import Strengths
from temperance.records.errors import RecipeError, nearest

Given = Mapping[str, Sequence[float]]


def by_owner(given: Given, recipe: Recipe, model: nn.Module) -> dict[str, dict[str, list[float]]]:
    """Return the members' strengths by address of their technique and name, checked.

    Args:
        given: values (k,) by address, e.g. ``{"dropout.p": [0.1, 0.0]}``.
        recipe: the recipe that holds the techniques.
        model: the net.

    Raises:
        RecipeError: the net has no members, the count is wrong, the strength is unknown or is one for all members.
        SettingError: a value outside its range.

    """
    found: dict[str, dict[str, list[float]]] = {}
    if not isinstance(given, Mapping):
        raise RecipeError(
            f"member_strengths={given!r}", "a mapping of addresses to one number per member",
            'Write member_strengths={"dropout.p": [0.1, 0.0]}',
        )  # fmt: skip
    for address, raw in given.items():
        values = _numbers(address, raw)
        if address not in recipe.specs:
            raise RecipeError(
                f"there is no strength {address!r}", f"known are {', '.join(recipe.specs) or 'none'}",
                nearest(address, list(recipe.specs)),
            )  # fmt: skip
        count = getattr(model, "members", None)
        if not isinstance(count, int) or len(values) != count:
            raise RecipeError(
                f"{len(values)} values of {address} for {type(model).__name__} with {count or 'no'} members",
                "one value per member of a net that has members",
                "Give one value, or a net such as build('tabular', …)",
            )  # fmt: skip
        owner, name = address.rsplit(".", 1)
        technique = recipe.by_address[owner]
        if name not in technique.per_member:
            raise RecipeError(
                f"{type(technique).__name__} has one {name} for all members",
                f"a value per member is taken by {', '.join(sorted(technique.per_member)) or 'none of its strengths'}",
                "Give one value",
            )
        spec = recipe.specs[address]
        found.setdefault(owner, {})[name] = [spec.check(address, name, float(value)) for value in values]
    return found


def _numbers(address: str, raw: object) -> list[float]:
    """Return the values as numbers."""
    rows = raw.tolist() if hasattr(raw, "tolist") else raw
    if not isinstance(rows, (list, tuple)) or not all(isinstance(v, (int, float)) for v in rows):
        raise RecipeError(
            f"{address} got {raw!r}", "a list, tuple or one-axis array of numbers, one per member",
            f'Write {{"{address}": [0.1, 0.0]}}',
        )  # fmt: skip
    return [float(value) for value in rows]


def spread(strength: Tensor, like: Tensor) -> Tensor:
    """Return a strength (k,) as (k, 1, …) in the axes and dtype of ``like`` (k, b, …); one of shape () as it is."""
    if strength.dim() == 0:
        return strength
    return strength.to(like.dtype).view(-1, *[1] * (like.dim() - 1))


def along(strength: Tensor, leaf: Tensor, place: slice | None) -> Tensor:
    """Return the part of a strength (k,) that acts on a parameter, ready to multiply it.

    A parameter that members share gets their mean: there is one of it, so it can have one strength only.
    """
    if place is None:
        return strength.mean().to(leaf.dtype)
    return strength[place].to(leaf.dtype).view(-1, *[1] * (leaf.dim() - 1))


def places(model: nn.Module, names: Sequence[str]) -> dict[str, slice | None]:
    """Return for each parameter the members along its first axis."""
    ask: Any = getattr(model, "members_of", None)
    return {name: ask(name) if ask is not None else None for name in names}


def strengths(
    address: str, values: Mapping[str, float], by_member: Mapping[str, Sequence[float]], device: torch.device
) -> Strengths:
    """Return the strengths of one technique: tensors (), or (k,) where members have values of their own."""
    own = {name: torch.tensor(list(by_member.get(name, ())) or v, dtype=exact(device)) for name, v in values.items()}
    mirror = {name: v for name, v in values.items() if name not in by_member}
    return Strengths({name: t.to(device) for name, t in own.items()}, address=address, mirror=mirror)
