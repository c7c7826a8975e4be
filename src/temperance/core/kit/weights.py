"""Arithmetic that weight techniques share: rates by leaf, shrinking with a limit, new weights put back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor, nn

from temperance.core.leaves import Leaves
from temperance.core.policy import matrices
from temperance.records.errors import RecipeError

MOST = 0.1  # no step of a self-adjusting decay takes away more than this share of a weight


def require_matrices(model: nn.Module, owner: str) -> tuple[str, ...]:
    """Return the names of the weight matrices.

    Raises:
        RecipeError: there is none.

    """
    names = matrices(model)
    if not names:
        raise RecipeError(
            f"{owner} finds nothing to act on: every parameter is a bias, a norm or an embedding",
            "it needs a weight matrix",
            f"Leave {owner} out, or set no_decay = False on the module that opted out",
        )
    return names


def rates(params: Leaves, rate: Any, names: Sequence[str]) -> list[Any]:
    """Return the learning rate of each leaf in ``names``; ``rate`` is one number, or one per leaf of ``params``."""
    if not isinstance(rate, list):
        return [rate] * len(names)
    chosen = dict(zip(params.names, rate, strict=True))
    return [chosen[name] for name in names]


def limited(shrink: Any, most: float = MOST) -> Any:
    """Return a share of a weight that is taken away, never above ``most``; a number or a tensor."""
    return torch.clamp(shrink, max=most) if isinstance(shrink, Tensor) else min(shrink, most)


def shrunk(params: Leaves, rate: Any, names: tuple[str, ...], pace: Any) -> Leaves:
    """Return the leaves with w·(1 − η·pace) in place of ``names``, none shrunk by more than ``MOST``."""
    if isinstance(rate, list):
        return params.mul_([1.0 - limited(eta * pace) for eta in rates(params, rate, names)], only=names)
    return params.mul_(1.0 - limited(rate * pace), only=names)


def present(leaves: Leaves, names: tuple[str, ...]) -> tuple[str, ...]:
    """Return those of ``names`` that ``leaves`` has.

    Of the gradients: a weight that took no part in the pass, that is frozen now or that the optimizer does not hold is
    not among them, and a technique of the update leaves it alone, as torch's optimizers do.
    """
    return names if leaves.names == names else _present(leaves.names, names)


@lru_cache(maxsize=256)
def _present(have: tuple[str, ...], names: tuple[str, ...]) -> tuple[str, ...]:
    known = frozenset(have)
    return names if known.issuperset(names) else tuple(name for name in names if name in known)


@lru_cache(maxsize=256)
def places_of(some: tuple[str, ...], names: tuple[str, ...]) -> list[int]:
    """Return where each of ``some`` stands in ``names``: to pick from a memory that has one number per weight."""
    return [names.index(name) for name in some]


def rebuild(params: Leaves, names: tuple[str, ...], change: Callable[[int, Tensor], Tensor]) -> Leaves:
    """Return the leaves with ``change(i, w)`` in place of leaf i of ``names``, without history."""
    with torch.no_grad():
        part = params.part(names)
        return params.copy_(part.like([change(i, w) for i, w in enumerate(part.tensors)]), only=names)


def each_norm(leaves: Leaves) -> Tensor:
    """Return the Euclidean norm of each leaf, (n,)."""
    with torch.no_grad():
        if leaves.owned:
            return torch.stack(list(torch._foreach_norm(leaves.tensors)))
        return torch.stack([torch.linalg.vector_norm(t) for t in leaves.tensors])
