"""Sharpness-aware minimization."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from torch import Tensor

from temperance.control.strength import Strength
from temperance.core.batch import Pass
from temperance.core.leaves import Leaves
from temperance.core.regularizer import Effect, Gradient, Memory, Rank, Regularizer, Strengths, techniques
from temperance.core.rules import Rule
from temperance.records.citation import Citation
from temperance.records.cost import Cost


@techniques.add
@dataclass(frozen=True, repr=False)
class SAM(Regularizer):
    """Take the gradient a small step uphill, so that training prefers flat minima.

        g = ∇L(w),  e = ρ·g / ‖g‖,  step with ∇L(w + e)

    Both passes see the same noise and the same mixed batch; running statistics are those of the first pass.

    Stage: gradient (ascend).  Cost: two passes a step and one temporary copy of the weights.
    Strengths: rho in [1e-4, 2], neutral 0, log, stronger = up.
    Shapes: any.
    Use when: accuracy or robustness to label noise matters more than training time.  Avoid when: time is short.

    Args:
        rho: radius ρ in the weights' Euclidean norm.

    Raises:
        SettingError: ρ outside its range.

    References: Foret et al. (2021), arXiv:2010.01412, eq. 2 and algorithm 1.

    """

    rho: float = 0.05

    strengths: ClassVar[dict[str, Strength]] = {
        "rho": Strength(
            0.05, low=1e-4, high=2.0, neutral=0.0, scale="log", words="how far uphill the gradient is taken"
        )
    }
    family: ClassVar[str] = "flatness"
    rank: ClassVar[Rank] = Rank.ASCEND
    effect: ClassVar[Effect] = {"rho": ("departure", "up")}
    cost: ClassVar[Cost] = Cost(forwards=2, backwards=2, copies=1)
    unique: ClassVar[bool] = True
    roles: ClassVar[tuple[str, ...]] = ("ascends",)
    rules: ClassVar[tuple[Rule, ...]] = (
        Rule("ascends", "refuse", "two techniques would move the weights uphill", "Keep one of them"),
    )
    citations: ClassVar[tuple[Citation, ...]] = (
        Citation(
            "foret2021",
            "Foret et al.",
            2021,
            "Sharpness-aware minimization for efficiently improving generalization",
            "ICLR",
            "2010.01412",
        ),
    )

    def gradient(self, inner: Gradient, strengths: Strengths, memory: Memory) -> Gradient:
        """Evaluate the gradient twice."""

        def ascend(params: Leaves, buffers: Mapping[str, Tensor], batch: Any, key: Any) -> tuple[Leaves, Pass]:
            grads, first = inner(params, buffers, batch, key)
            if strengths.is_off("rho"):
                return grads, first
            base = params.part(grads.names)
            scale = strengths["rho"] / (grads.norm() + 1e-12)
            moved = base.add(grads, scale)
            if grads.names != params.names:
                moved = Leaves.of({**params, **moved})
            del grads, base
            steep, _ = inner(moved, first.buffers, batch, key)
            return steep, first

        return ascend
