"""L1 penalty on the loss."""

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
from temperance.records.citation import Citation


@techniques.add
@dataclass(frozen=True, repr=False)
class L1(Regularizer):
    """Add the sum of the absolute weights to the loss.

        loss + λ · Σ |w|

    Stage: objective (penalty).  Cost: free (one pass over the weights).
    Strengths: rate λ in [1e-8, 1], neutral 0, log, stronger = up.
    Shapes: any; biases, norms and embeddings are left alone.
    Use when: many inputs are useless and small weights should become very small.
    Avoid when: exact zeros are needed (gradient steps only come close to zero).

    Args:
        rate: coefficient λ.

    Raises:
        SettingError: λ outside its range.
        RecipeError: the model has no weight matrix.

    References: Tibshirani (1996), Journal of the Royal Statistical Society B 58(1), eq. 3.

    """

    rate: float = 1e-5

    strengths: ClassVar[dict[str, Strength]] = {
        "rate": Strength(
            1e-5, low=1e-8, high=1.0, neutral=0.0, scale="log", words="how strongly any weight is punished"
        )
    }
    family: ClassVar[str] = "weights"
    rank: ClassVar[Rank] = Rank.PENALTY
    effect: ClassVar[Effect] = {"rate": ("weight_size", "down")}
    unique: ClassVar[bool] = True
    citations: ClassVar[tuple[Citation, ...]] = (
        Citation(
            "tibshirani1996", "Tibshirani", 1996, "Regression shrinkage and selection via the lasso", "JRSS B 58(1)"
        ),
    )

    def plan(self, context: Context) -> tuple[str, ...]:
        """Return the names of the punished weights."""
        return require_matrices(context.model, "L1")

    def objective(self, inner: Objective, strengths: Strengths, memory: Memory) -> Objective:
        """Add the penalty."""

        def penalized(params: Leaves, buffers: Mapping[str, Tensor], batch: Batch, key: Any) -> Pass:
            passed = inner(params, buffers, batch, key)
            names = () if strengths.is_off("rate") else reached(memory, params, passed.loss)
            if not names:
                return passed
            size = absolute_sum([params[name] for name in names])
            return passed._replace(loss=passed.loss + strengths["rate"] * size)

        return penalized


def absolute_sum(tensors: list[Tensor]) -> Tensor:
    """Return Σ |w| over all tensors, ()."""
    return torch.stack([torch.sum(t.abs()) for t in tensors]).sum()
