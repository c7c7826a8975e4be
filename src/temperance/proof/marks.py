"""Marks of weights: a few numbers that change when the weights do, cheap enough for every step."""

from __future__ import annotations

import torch
from torch import Tensor, nn

Mark = tuple[float, ...]
Kind = tuple[tuple[str, torch.Size], ...]
_LEAVES, _NUMBERS = 6, 4  # the largest leaves, and numbers of each


class Marker:
    """Takes marks of a module, and of others with parameters of the same names and shapes.

    Args:
        module: the user's, without wrappers.

    """

    def __init__(self, module: nn.Module) -> None:
        leaves = [(name, p) for name, p in module.named_parameters() if p.requires_grad and p.numel()]
        leaves.sort(key=lambda pair: -pair[1].numel())
        self.names = [name for name, _ in leaves[:_LEAVES]]
        self.kind = kind_of(module)

    def __call__(self, module: nn.Module) -> Mark:
        """Return the mark of a module of this kind."""
        return tuple(x for name in self.names for x in _some(module.get_parameter(name)))


def kind_of(module: nn.Module) -> Kind:
    """Return names and shapes of a module's parameters."""
    return tuple((name, p.shape) for name, p in module.named_parameters())


def _some(leaf: Tensor) -> list[float]:
    """Return the last numbers of the first rows: views alone, whatever the layout in memory."""
    corner = leaf.detach()[(slice(0, 1),) * (leaf.dim() - 1)] if leaf.dim() > 1 else leaf.detach()
    numbers: list[float] = corner.reshape(-1)[-_NUMBERS:].tolist()
    return numbers
