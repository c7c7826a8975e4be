"""Adversarial weight perturbation."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any, ClassVar

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
from temperance.records.errors import RecipeError


@techniques.add
@dataclass(frozen=True, repr=False)
class AWP(Regularizer):
    """Take the gradient where every weight matrix was moved uphill by the same share of its size.

        dₗ = γ·‖wₗ‖·gₗ / ‖gₗ‖ for each parameter of two or more axes, 0 for the others;  step with ∇L(w + d)

    Made to stand on top of adversarial training, where it shrinks the gap between training and test robustness; it
    works on the plain loss too.

    Stage: gradient (ascend).  Cost: two passes a step and one temporary copy of the weights.
    Strengths: gamma in [1e-5, 0.2], neutral 0, log, stronger = up.
    Shapes: any.
    Use when: adversarial training over-fits.  Avoid when: time is short.

    Args:
        gamma: share γ of each matrix' norm.

    Raises:
        SettingError: γ outside its range.
        RecipeError: the model has no parameter of two or more axes.

    Example:
        >>> AWP().to_dict()
        {'name': 'AWP', 'gamma': 0.01}

    References: Wu, Xia and Wang (2020), arXiv:2004.05884, section 4.1, eq. 8 to 10.

    """

    gamma: float = 0.01

    strengths: ClassVar[dict[str, Strength]] = {
        "gamma": Strength(
            0.01, low=1e-5, high=0.2, neutral=0.0, scale="log", words="how far uphill each weight matrix is moved"
        )
    }
    family: ClassVar[str] = "flatness"
    rank: ClassVar[Rank] = Rank.ASCEND
    effect: ClassVar[Effect] = {"gamma": ("departure", "up")}
    cost: ClassVar[Cost] = Cost(forwards=2, backwards=2, copies=1)
    unique: ClassVar[bool] = True
    roles: ClassVar[tuple[str, ...]] = ("ascends",)
    rules: ClassVar[tuple[Rule, ...]] = (
        Rule("ascends", "refuse", "two techniques would move the weights uphill", "Keep one of them"),
    )
    citations: ClassVar[tuple[Citation, ...]] = (
        Citation(
            "wu2020", "Wu, Xia, Wang", 2020, "Adversarial weight perturbation helps robust generalization", "NeurIPS",
            "2004.05884", "section 4.1",
        ),
    )  # fmt: skip

    def check(self, context: Context, optimizer: Any) -> None:
        """Refuse a model in which there is nothing to move.

        Raises:
            RecipeError: there is no weight of two or more axes.

        """
        if not any(p.dim() > 1 for p in trainable(context.model).values()):
            raise RecipeError(
                "AWP finds no parameter of two or more axes", "it moves weight matrices", "Use SAM for this model"
            )

    def gradient(self, inner: Gradient, strengths: Strengths, memory: Memory) -> Gradient:
        """Evaluate the gradient twice."""

        def ascend(params: Leaves, buffers: Mapping[str, Tensor], batch: Any, key: Any) -> tuple[Leaves, Pass]:
            grads, first = inner(params, buffers, batch, key)
            names = tuple(name for name, g in grads.items() if g.dim() > 1)
            if strengths.is_off("gamma") or not names:
                return grads, first
            base, part = params.part(names), grads.part(names)
            moved = base.add(part.times(_reach(base, part)), strengths["gamma"])
            del grads, part
            steep, _ = inner(Leaves.of({**params, **moved}), first.buffers, batch, key)
            return steep, first

        return ascend


def _reach(base: Leaves, grads: Leaves) -> list[Tensor]:
    """Return ‖wₗ‖ / ‖gₗ‖ per leaf, 0 where there is no gradient."""
    with torch.no_grad() if base.owned else nullcontext():
        sizes = [torch.linalg.vector_norm(w) for w in base.tensors]
        slopes = [torch.linalg.vector_norm(g) for g in grads.tensors]
        return [w / (g + 1e-20) for w, g in zip(sizes, slopes, strict=True)]
