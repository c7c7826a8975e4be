"""Blends of two examples: what every mixing technique shares."""

from __future__ import annotations

import warnings
from functools import partial
from typing import Any

import torch
from torch import Tensor

from temperance.core.batch import Batch, Mixed, map_leaves
from temperance.core.nest import floating_leaves, leaves
from temperance.core.random import fold, uniform
from temperance.core.shifted import Shifted
from temperance.records.errors import RecipeError


class OnlyCodes(UserWarning):
    """A mixing technique found integer inputs alone that no embedding gets: codes of two examples take turns."""


def blend(inputs: Any, partner: Tensor, share: Tensor, key: Any) -> Any:
    """Return share·x + (1 − share)·x[partner] for floating leaves; of integer leaves one of the two is chosen.

    The choice is made once for all integer leaves, so that codes which belong together (token ids and their mask) come
    from the same example: for each place where all of them have one shape, else for each row.

    Shapes: inputs (b, …) → same · partner (b,) · share ().
    """
    codes = [leaf for leaf in leaves(inputs) if isinstance(leaf, Tensor) and not leaf.is_floating_point()]
    chosen = _choice(codes, share, key) if codes else None

    def one(x: Tensor) -> Tensor:
        other = torch.index_select(x, 0, partner)
        if x.is_floating_point():
            return torch.lerp(other, x, share.to(x.dtype))
        assert chosen is not None
        return torch.where(chosen.reshape(*chosen.shape, *[1] * (x.dim() - chosen.dim())), x, other)

    return map_leaves(one, inputs)


def blended(batch: Batch, partner: Tensor, share: Tensor, key: Any, owner: str) -> Any:
    """Return the inputs of a batch, mixed: numbers and codes as ``blend`` does, of tokens their vectors.

    Vectors are mixed where the inputs hold whole numbers alone and the model has an input embedding that gets them:
    share·e(own) + (1 − share)·e(partner), padding as 0; see ``core.embedding.Seam.blended``. Codes that no embedding
    gets as they are (the categories of a table, most often) take turns, and a warning tells so once.

    Shapes: inputs (b, …) → same · partner (b,) · share ().

    Raises:
        RecipeError: several embeddings get them, the model reads two texts, or the inputs differ in their rows.

    """
    require_rows(batch.inputs, partner.shape[0], owner)
    inner = batch.inputs.inputs if isinstance(batch.inputs, Shifted) else batch.inputs
    if batch.seam is None or floating_leaves(inner):
        return blend(batch.inputs, partner, share, key)
    mixed = batch.seam.blended(batch, partner, share, owner)
    if mixed is not None:
        return mixed
    warn_of_codes(batch.inputs, owner, batch.seam.told)
    return blend(batch.inputs, partner, share, key)


def require_rows(inputs: Any, count: int, owner: str) -> None:
    """Raise where an input has not one row for each of ``count`` examples: two of them have no blend then.

    Raises:
        RecipeError: the edges of a graph beside its nodes, or one context for all rows.

    """
    uneven = [x for x in leaves(inputs) if isinstance(x, Tensor) and (not x.dim() or x.shape[0] != count)]
    if uneven:
        raise RecipeError(
            f"{owner} got {count} rows and an input of shape {tuple(uneven[0].shape)} beside them",
            f"{owner} blends rows with each other, so every input has one row for each example: (b, …)",
            f"Leave {owner} out where rows hang together (the nodes of a graph), or repeat that input for each row",
        )


def _choice(codes: list[Tensor], share: Tensor, key: Any) -> Tensor:
    """Return whether the example itself is chosen: of the shape that all leaves have, else (b,)."""
    shape = codes[0].shape if len({leaf.shape for leaf in codes}) == 1 else codes[0].shape[:1]
    return uniform(fold(key, "choose", 0), shape, codes[0].device) < share


def paired(batch: Batch, inputs: Any, partner: Tensor, share: Tensor) -> Batch:
    """Return the batch with these ``inputs``, targets ``Mixed`` with those of the partners, and blended weights.

    Targets may be a nest (one for each head of a model): each leaf goes along.

    Shapes: partner (b,) int64, share () or (b,).

    Raises:
        RecipeError: the targets are mixed already, or are not one for each row.

    """
    targets, weight = batch.targets, batch.weight
    if isinstance(targets, Mixed):
        raise RecipeError("the batch is mixed already", "one mixing technique per recipe", "Keep one of them")
    if weight is not None:
        weight = weight if weight.is_floating_point() else weight.to(torch.get_default_dtype())
        weight = torch.lerp(torch.index_select(weight, 0, partner), weight, share.to(weight.dtype))
    second = map_leaves(partial(_of_partners, partner), targets)
    floating = isinstance(targets, Tensor) and targets.is_floating_point()
    mixed = Mixed(targets, second, share.to(targets.dtype if floating else torch.get_default_dtype()))
    return batch._replace(inputs=inputs, targets=mixed, weight=weight)


def _of_partners(partner: Tensor, leaf: Tensor) -> Tensor:
    if not leaf.dim() or leaf.shape[0] != partner.shape[0]:
        raise RecipeError(
            f"a mixing technique got {partner.shape[0]} rows of inputs and targets of shape {tuple(leaf.shape)}",
            "targets with the same first axis as the inputs: each row is mixed with its own target",
            "Give targets (b, …), or leave mixing techniques out",
        )
    return torch.index_select(leaf, 0, partner)


def warn_of_codes(inputs: Any, owner: str, told: list[str]) -> None:
    """Warn, once, where no input has decimals to blend."""
    tensors = [leaf for leaf in leaves(inputs) if isinstance(leaf, Tensor)]
    if not tensors or any(leaf.is_floating_point() for leaf in tensors):
        return
    sentence = (
        f"{owner} finds integers alone among the inputs, and no embedding that gets them as they are, so codes of two "
        "examples take turns. That means something for the categories of a table, and nothing for the tokens of a "
        "text: there give the model a method get_input_embeddings(), so that their vectors are mixed."
    )
    if sentence not in told:
        told.append(sentence)
        warnings.warn(sentence, OnlyCodes, stacklevel=4)
