"""Blends of two examples: what every mixing technique shares."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from temperance.core.batch import Batch, Mixed, map_leaves
from temperance.core.random import fold, uniform
from temperance.records.errors import RecipeError


def blend(inputs: Any, partner: Tensor, share: Tensor, key: Any) -> Any:
    """Return share·x + (1 − share)·x[partner] for floating leaves; of integer leaves one of the two is chosen.

    Shapes: inputs (b, …) → same · partner (b,) · share ().
    """
    sites = iter(range(1_000_000))

    def one(x: Tensor) -> Tensor:
        other = torch.index_select(x, 0, partner)
        if x.is_floating_point():
            return torch.lerp(other, x, share.to(x.dtype))
        chosen = uniform(fold(key, "choose", next(sites)), x.shape, x.device) < share
        return torch.where(chosen, x, other)

    return map_leaves(one, inputs)


def paired(batch: Batch, inputs: Any, partner: Tensor, share: Tensor) -> Batch:
    """Return the batch with these ``inputs``, targets ``Mixed`` with those of the partners, and blended weights.

    Shapes: partner (b,) int64, share () or (b,).

    Raises:
        RecipeError: the targets are mixed already.

    """
    targets, weight = batch.targets, batch.weight
    if isinstance(targets, Mixed):
        raise RecipeError("the batch is mixed already", "one mixing technique per recipe", "Keep one of them")
    if weight is not None:
        weight = torch.lerp(torch.index_select(weight, 0, partner), weight, share.to(weight.dtype))
    dtype = targets.dtype if targets.is_floating_point() else torch.get_default_dtype()
    mixed = Mixed(targets, torch.index_select(targets, 0, partner), share.to(dtype))
    return batch._replace(inputs=inputs, targets=mixed, weight=weight)
