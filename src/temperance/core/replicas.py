"""Data-parallel replicas: which one this is, and numbers on which all agree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, distributed

from temperance.core.devices import exact
from temperance.core.leaves import Leaves
from temperance.records.errors import RecipeError


def rank() -> int:
    """Return the number of this process among the replicas; 0 where there is one."""
    return distributed.get_rank() if _running() else 0


def agree(numbers: Mapping[str, float], device: torch.device) -> dict[str, float]:
    """Return the mean of each number over the replicas that know it (NaN where none does).

    Controllers then move the strengths alike everywhere; otherwise the replicas would drift apart.
    """
    if not _running() or not numbers:
        return dict(numbers)
    names = sorted(numbers)
    values = torch.tensor([numbers[name] for name in names], dtype=exact(device), device=device)
    known = torch.isfinite(values)
    both = torch.stack([torch.where(known, values, 0.0), known.to(values.dtype)])
    distributed.all_reduce(both)
    means = (both[0] / both[1]).tolist()
    return dict(zip(names, means, strict=True))


def any_of(flag: bool, device: torch.device) -> bool:
    """Return whether the flag is set on any replica."""
    if not _running():
        return flag
    told = torch.tensor(float(flag), device=device)
    distributed.all_reduce(told, distributed.ReduceOp.MAX)
    return bool(told)


def average(tensors: Sequence[Tensor]) -> None:
    """Replace each tensor by its mean over the replicas, in place.

    Shapes: any, the same on every rank.
    """
    if _running() and distributed.get_world_size() > 1:
        for t in tensors:
            distributed.all_reduce(t)
            t.div_(distributed.get_world_size())


def require_same(weights: Leaves) -> None:
    """Raise where the replicas' weights differ: every process must ask at the same moment.

    Raises:
        RecipeError: they drifted apart, so their gradients were not averaged.

    """
    if not _running() or distributed.get_world_size() < 2 or not len(weights):
        return
    mine = weights.norm().detach().reshape(1)
    least, most = mine.clone(), mine.clone()
    distributed.all_reduce(least, distributed.ReduceOp.MIN)
    distributed.all_reduce(most, distributed.ReduceOp.MAX)
    if not torch.equal(least, most) and bool(torch.isfinite(most)):
        raise RecipeError(
            f"the weights of {distributed.get_world_size()} processes differ after their first steps",
            "replicas whose gradients are averaged, so that their weights stay equal",
            "Wrap first, then attach: model = DistributedDataParallel(model); recipe.attach(model, optimizer, …)",
        )


def _running() -> bool:
    return distributed.is_available() and distributed.is_initialized()
