"""L2 penalty on the loss (coupled decay)."""

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
class L2(Regularizer):
    """Add half the squared norm of the weights to the loss.

        loss + λ/2 · Σ w²

    Under Adam this is *not* weight decay: the penalty is divided by the gradient's own scale. There, use
    ``WeightDecay``.

    Stage: objective (penalty).  Cost: free (one pass over the weights).
    Strengths: rate λ in [1e-8, 1], neutral 0, log, stronger = up.
    Shapes: any; biases, norms and embeddings are left alone.
    Use when: plain SGD.  Avoid when: adaptive optimizers.

    Args:
        rate: coefficient λ.

    Raises:
        SettingError: λ outside its range.
        RecipeError: the model has no weight matrix.

    References: Krogh and Hertz (1991), NIPS 4, eq. 1; the difference to decay: arXiv:1711.05101.

    """

    rate: float = 1e-4

    strengths: ClassVar[dict[str, Strength]] = {
        "rate": Strength(
            1e-4, low=1e-8, high=1.0, neutral=0.0, scale="log", words="how strongly large weights are punished"
        )
    }
    family: ClassVar[str] = "weights"
    takes_complex: ClassVar[bool] = False
    rank: ClassVar[Rank] = Rank.PENALTY
    effect: ClassVar[Effect] = {"rate": ("weight_size", "down")}
    unique: ClassVar[bool] = True
    rules: ClassVar[tuple[Rule, ...]] = (
        Rule("decays", "warn", "both shrink the weights", "Keep the decay, it also works under Adam"),
    )
    citations: ClassVar[tuple[Citation, ...]] = (
        Citation("krogh1991", "Krogh, Hertz", 1991, "A simple weight decay can improve generalization", "NIPS 4"),
    )

    def plan(self, context: Context) -> tuple[str, ...]:
        """Return the names of the punished weights."""
        return require_matrices(context.model, "L2")

    def objective(self, inner: Objective, strengths: Strengths, memory: Memory) -> Objective:
        """Add the penalty."""

        def penalized(params: Leaves, buffers: Mapping[str, Tensor], batch: Batch, key: Any) -> Pass:
            passed = inner(params, buffers, batch, key)
            names = () if strengths.is_off("rate") else reached(memory, params, passed.loss)
            if not names:
                return passed
            squares = squared_norm([params[name] for name in names])
            return passed._replace(loss=passed.loss + 0.5 * strengths["rate"] * squares)

        return penalized


def squared_norm(tensors: list[Tensor]) -> Tensor:
    """Return Σ w² over all tensors, ()."""
    return torch.stack([torch.sum(t * t) for t in tensors]).sum()
