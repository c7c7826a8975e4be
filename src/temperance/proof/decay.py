"""Weight decay of a run: on which weights it is set, and on which it acts."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

_LOW = (torch.bfloat16, torch.float16)
_DECOUPLED = ("AdamW", "NAdamW", "Lion", "Adafactor", "Muon")
_SAMPLE = 1_000


@dataclass
class Decay:
    """Follows an optimizer's groups from step to step.

    Attributes:
        at_start: largest ``weight_decay`` of a group when the watch began.
        wanted: parameters (by id) that a decay above 0 was set for.
        acted: those of them that a step decayed: with a gradient, and not lost to rounding.
        graded: parameters that had a gradient.
        rounded: those whose decay the number format lost at every look.
        held: all that the optimizer held.
        steps: steps seen.
        rates: smallest and largest decay above 0 that a group had at a step.
        moving: whether the learning rate of a parameter with a decay was ever above 0.

    """

    at_start: float
    wanted: dict[int, Tensor] = field(default_factory=dict)
    acted: set[int] = field(default_factory=set)
    graded: set[int] = field(default_factory=set)
    rounded: set[int] = field(default_factory=set)
    held: dict[int, Tensor] = field(default_factory=dict)
    steps: int = 0
    rates: tuple[float, float] = (math.inf, 0.0)
    moving: bool = False

    @classmethod
    def of(cls, optimizer: torch.optim.Optimizer) -> Decay:
        """Begin with what the groups say now."""
        made = cls(max((float(g.get("weight_decay", 0.0)) for g in optimizer.param_groups), default=0.0))
        made.held = {id(p): p for g in optimizer.param_groups for p in g["params"]}
        return made

    def look(self, optimizer: torch.optim.Optimizer) -> None:
        """Look at the groups right before a step."""
        self.steps += 1
        decoupled = any(name in type(optimizer).__name__ for name in _DECOUPLED)
        for group in optimizer.param_groups:
            decay, lr = float(group.get("weight_decay", 0.0)), float(group["lr"])
            if decay > 0:
                self.rates = min(self.rates[0], decay), max(self.rates[1], decay)
                self.moving |= lr > 0
            for p in group["params"]:
                self.held[id(p)] = p
                if p.grad is not None:
                    self.graded.add(id(p))
                if decay <= 0:
                    continue
                self.wanted[id(p)] = p
                if p.grad is None or lr <= 0:
                    continue
                if decoupled and p.dtype in _LOW and _lost(p, lr * decay):
                    self.rounded.add(id(p))
                else:
                    self.acted.add(id(p))


def _lost(p: Tensor, share: float) -> bool:
    """Return whether p·(1 − share) rounds to p everywhere."""
    some = p.detach()[(slice(0, 8),) * p.dim()].reshape(-1)[:_SAMPLE]
    return bool((some * (1 - share) == some).all())


def matrices_of(model: nn.Module, held: dict[int, Any]) -> list[str]:
    """Return names of the model's weight matrices that the optimizer holds; embeddings are left out."""
    embeddings = {
        id(p) for m in model.modules() if isinstance(m, (nn.Embedding, nn.EmbeddingBag)) for p in m.parameters()
    }
    return [n for n, p in model.named_parameters() if p.dim() > 1 and id(p) in held and id(p) not in embeddings]
