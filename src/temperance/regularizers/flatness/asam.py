"""Adaptive sharpness-aware minimization."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import torch
from torch import Tensor

from temperance.control.strength import Strength
from temperance.core.batch import Pass
from temperance.core.leaves import Leaves
from temperance.core.policy import trainable
from temperance.core.regularizer import Context, Effect, Gradient, Memory, Rank, Regularizer, Strengths, techniques
from temperance.core.rules import Rule
from temperance.records.citation import Citation
from temperance.records.cost import Cost
from temperance.records.errors import RecipeError, SettingError


@techniques.add
@dataclass(frozen=True, repr=False)
class ASAM(Regularizer):
    """Take the gradient uphill by a step that grows with each weight, so that rescaled layers look the same.

        T = |w| + η for parameters whose name holds "weight", 1 for the others
        g = ∇L(w),  e = ρ·T²g / ‖T g‖,  step with ∇L(w + e)

    The choice by name is the authors': biases and other parameters stay unscaled.

    Stage: gradient (ascend).  Cost: two passes a step and one temporary copy of the weights.
    Strengths: rho in [1e-3, 10], neutral 0, log, stronger = up (about ten times SAM's).
    Shapes: any.
    Use when: SAM would help and layers differ much in scale.  Avoid when: time is short; small nets, where the unscaled
    biases take most of the step.

    Args:
        rho: radius ρ in the scaled weights' norm.
        eta: η, keeps weights near zero moving.

    Raises:
        SettingError: ρ or η outside its range.
        RecipeError: no parameter's name holds "weight".

    Example:
        >>> ASAM(1.0).to_dict()
        {'name': 'ASAM', 'rho': 1.0, 'eta': 0.01}

    References: Kwon et al. (2021), arXiv:2102.11600, section 4, algorithm 1.

    """

    rho: float = 0.5
    eta: float = 0.01

    strengths: ClassVar[dict[str, Strength]] = {
        "rho": Strength(
            0.5, low=1e-3, high=10.0, neutral=0.0, scale="log", words="how far uphill the gradient is taken"
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
            "kwon2021", "Kwon et al.", 2021,
            "ASAM: adaptive sharpness-aware minimization for scale-invariant learning", "ICML", "2102.11600",
            "section 4",
        ),
    )  # fmt: skip

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.eta <= 1:
            raise SettingError(f"ASAM got eta={self.eta!r}", "eta lies between 0 and 1", "0.01 is the default")

    @classmethod
    def samples(cls) -> Iterable[Self]:
        """Return the default and one without η."""
        return (cls(), cls(0.2, eta=0.0))

    def plan(self, context: Context) -> frozenset[str]:
        """Return the names of the parameters whose step is scaled."""
        return frozenset(name for name in trainable(context.model) if "weight" in name)

    def check(self, context: Context, optimizer: Any) -> None:
        """Refuse a model without weights by name: it would be SAM with another radius.

        Raises:
            RecipeError: no parameter's name holds ``weight``.

        """
        if not self.plan(context):
            raise RecipeError(
                "ASAM finds no parameter whose name holds 'weight'", "it scales those", "Use SAM for this model"
            )

    def gradient(self, inner: Gradient, strengths: Strengths, memory: Memory) -> Gradient:
        """Evaluate the gradient twice."""

        def ascend(params: Leaves, buffers: Mapping[str, Tensor], batch: Any, key: Any) -> tuple[Leaves, Pass]:
            grads, first = inner(params, buffers, batch, key)
            if strengths.is_off("rho"):
                return grads, first
            base = params.part(grads.names)
            scales = _scales(base, memory.plan, self.eta)
            scaled = grads.times(scales)
            moved = base.add(scaled.times(scales), strengths["rho"] / (scaled.norm() + 1e-16))
            if moved.names != params.names:
                moved = Leaves.of({**params, **moved})
            del grads, base, scales, scaled
            steep, _ = inner(moved, first.buffers, batch, key)
            return steep, first

        return ascend


def _scales(base: Leaves, weights: frozenset[str], eta: float) -> list[Tensor]:
    with torch.no_grad() if base.owned else nullcontext():
        return [w.abs() + eta if name in weights else w.new_ones(()) for name, w in base.items()]
