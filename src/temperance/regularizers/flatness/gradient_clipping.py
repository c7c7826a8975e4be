"""Gradient clipping by norm."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from temperance.control.strength import Strength
from temperance.core.batch import Pass
from temperance.core.leaves import Leaves
from temperance.core.regularizer import Effect, Gradient, Memory, Rank, Regularizer, Strengths, techniques
from temperance.core.rules import Rule
from temperance.records.citation import Citation


@techniques.add
@dataclass(frozen=True, repr=False)
class GradientClipping(Regularizer):
    """Shorten the gradient where it is longer than a limit.

        g ← g · min(1, c / ‖g‖)

    Stage: gradient (clip, last).  Cost: free.  Strengths: norm c in [1e-3, 1e6], neutral ∞, log, stronger = down.
    Shapes: any; ‖g‖ is taken over all parameters.
    Use when: losses jump, recurrent nets, large learning rates.  Avoid when: it acts on every step (lower the rate).

    Args:
        norm: limit c.

    Raises:
        SettingError: c outside its range.

    References: Pascanu, Mikolov and Bengio (2013), arXiv:1211.5063, algorithm 1.

    """

    norm: float = 1.0

    strengths: ClassVar[dict[str, Strength]] = {
        "norm": Strength(
            1.0,
            low=1e-3,
            high=1e6,
            neutral=float("inf"),
            scale="log",
            stronger="down",
            adaptive=False,
            words="longest gradient allowed",
        )
    }
    family: ClassVar[str] = "flatness"
    takes_complex: ClassVar[bool] = False
    rank: ClassVar[Rank] = Rank.CLIP
    effect: ClassVar[Effect] = {"norm": ("step_length", "down")}
    unique: ClassVar[bool] = True
    roles: ClassVar[tuple[str, ...]] = ("clips gradients",)
    rules: ClassVar[tuple[Rule, ...]] = (
        Rule("ascends", "order", "the gradient is clipped after the move uphill", "The move itself keeps its length"),
        Rule("noise on gradients", "order", "noise comes first, then the bound", "The bound holds for the sum"),
    )
    citations: ClassVar[tuple[Citation, ...]] = (
        Citation(
            "pascanu2013",
            "Pascanu, Mikolov, Bengio",
            2013,
            "On the difficulty of training recurrent neural networks",
            "ICML",
            "1211.5063",
        ),
    )

    def gradient(self, inner: Gradient, strengths: Strengths, memory: Memory) -> Gradient:
        """Clip what ``inner`` gives."""

        def clipped(params: Leaves, buffers: Mapping[str, Tensor], batch: Any, key: Any) -> tuple[Leaves, Pass]:
            grads, passed = inner(params, buffers, batch, key)
            if strengths.is_off("norm", float("inf")):
                return grads, passed
            factor = torch.clamp(strengths["norm"] / (grads.norm() + 1e-6), max=1.0)
            return grads.mul_(factor.to(grads.tensors[0].dtype)), passed

        return clipped
