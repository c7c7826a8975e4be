"""Soft orthogonality."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from temperance.control.strength import Strength
from temperance.core.batch import Batch, Pass
from temperance.core.kit.reach import reached
from temperance.core.kit.weights import require_matrices
from temperance.core.leaves import Leaves
from temperance.core.regularizer import Context, Effect, Memory, Objective, Rank, Regularizer, Strengths, techniques
from temperance.core.rules import Rule
from temperance.records.citation import Citation


@techniques.add
@dataclass(frozen=True, repr=False)
class Orthogonality(Regularizer):
    """Push the rows (or columns) of each matrix towards unit length and right angles.

        loss + λ·Σ_W ‖W·Wᵀ − I‖²_F, with Wᵀ·W where W is taller than wide

    Stage: objective (penalty).  Cost: one small matrix product per layer.
    Strengths: rate λ in [1e-8, 1], neutral 0, log, stronger = up.
    Shapes: (o, …) is read as (o, rest); biases, norms and embeddings are left alone.
    Use when: deep or recurrent nets whose gradients fade or explode.
    Avoid when: matrices should shrink (decay pulls to zero, this to length one).

    Args:
        rate: coefficient λ.

    Raises:
        SettingError: λ outside its range.
        RecipeError: there is no weight matrix.

    Example:
        >>> Orthogonality(1e-2)
        Orthogonality(rate=0.01)

    References: Brock et al. (2017), arXiv:1609.07093, section 3.3; Bansal, Chen and Wang (2018), arXiv:1810.09102,
    section 3.1.

    """

    rate: float = 1e-3

    strengths: ClassVar[dict[str, Strength]] = {
        "rate": Strength(1e-3, low=1e-8, high=1.0, neutral=0.0, scale="log", words="how strongly units are kept apart")
    }
    family: ClassVar[str] = "weights"
    takes_complex: ClassVar[bool] = False
    rank: ClassVar[Rank] = Rank.PENALTY
    effect: ClassVar[Effect] = {"rate": ("departure", "up")}
    unique: ClassVar[bool] = True
    rules: ClassVar[tuple[Rule, ...]] = (
        Rule("decays", "warn", "one pulls weights to length one, the other to zero", "Keep one of them"),
    )
    citations: ClassVar[tuple[Citation, ...]] = (
        Citation(
            "bansal2018",
            "Bansal, Chen, Wang",
            2018,
            "Can we gain more from orthogonality regularizations in training deep CNNs?",
            "NeurIPS",
            "1810.09102",
        ),
    )

    def plan(self, context: Context) -> tuple[str, ...]:
        """Return the names of the matrices."""
        return require_matrices(context.model, "Orthogonality")

    def objective(self, inner: Objective, strengths: Strengths, memory: Memory) -> Objective:
        """Add the penalty."""

        def penalized(params: Leaves, buffers: Mapping[str, Tensor], batch: Batch, key: Any) -> Pass:
            passed = inner(params, buffers, batch, key)
            names = () if strengths.is_off("rate") else reached(memory, params, passed.loss)
            if not names:
                return passed
            off = torch.stack([skewness(params[name]) for name in names]).sum()
            return passed._replace(loss=passed.loss + strengths["rate"] * off)

        return penalized


def skewness(w: Tensor) -> Tensor:
    """Return ‖W·Wᵀ − I‖²_F of the smaller side, (); 0 where it is orthogonal."""
    flat = w.flatten(1)
    flat = flat if flat.shape[0] <= flat.shape[1] else flat.T
    gram = flat @ flat.T - torch.eye(flat.shape[0], dtype=w.dtype, device=w.device)
    return torch.sum(gram * gram)
