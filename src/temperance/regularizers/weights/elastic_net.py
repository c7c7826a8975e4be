"""Elastic net penalty."""

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
from temperance.records.errors import SettingError


@techniques.add
@dataclass(frozen=True, repr=False)
class ElasticNet(Regularizer):
    """Add a mixture of absolute and squared weights to the loss.

        loss + λ·(s·Σ|w| + (1 − s)/2·Σw²)

    Stage: objective (penalty).  Cost: free (one pass over the weights).
    Strengths: rate λ in [1e-8, 1], neutral 0, log, stronger = up.
    Shapes: any; biases, norms and embeddings are left alone.
    Use when: many inputs are useless and those that count go together.
    Avoid when: Adam (the squared part is divided by the gradient's scale; use ``WeightDecay``).

    Args:
        rate: coefficient λ.
        share: s, the share of the absolute part; 1 is ``L1``, 0 is ``L2``.

    Raises:
        SettingError: λ or s outside its range.
        RecipeError: there is no weight matrix.

    Example:
        >>> ElasticNet(1e-4, share=0.9)
        ElasticNet(rate=0.0001, share=0.9)

    References: Zou and Hastie (2005), Journal of the Royal Statistical Society B 67(2), eq. 3; the parametrization is
    that of Friedman, Hastie and Tibshirani (2010), Journal of Statistical Software 33(1), eq. 2.

    """

    rate: float = 1e-5
    share: float = 0.5

    strengths: ClassVar[dict[str, Strength]] = {
        "rate": Strength(1e-5, low=1e-8, high=1.0, neutral=0.0, scale="log", words="how strongly weights are punished")
    }
    family: ClassVar[str] = "weights"
    takes_complex: ClassVar[bool] = False
    rank: ClassVar[Rank] = Rank.PENALTY
    effect: ClassVar[Effect] = {"rate": ("weight_size", "down")}
    unique: ClassVar[bool] = True
    rules: ClassVar[tuple[Rule, ...]] = (
        Rule("L1", "refuse", "the elastic net has an absolute part already", "Raise its share instead"),
        Rule("L2", "refuse", "the elastic net has a squared part already", "Lower its share instead"),
        Rule("decays", "warn", "both shrink the weights", "Use L1 beside a decay"),
    )
    citations: ClassVar[tuple[Citation, ...]] = (
        Citation(
            "zou2005", "Zou, Hastie", 2005, "Regularization and variable selection via the elastic net", "JRSS B 67(2)"
        ),
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.share <= 1:
            raise SettingError(f"ElasticNet got share={self.share!r}", "it lies in [0, 1]", "0.5 is the default")

    def plan(self, context: Context) -> tuple[str, ...]:
        """Return the names of the punished weights."""
        return require_matrices(context.model, "ElasticNet")

    def objective(self, inner: Objective, strengths: Strengths, memory: Memory) -> Objective:
        """Add the penalty."""

        def penalized(params: Leaves, buffers: Mapping[str, Tensor], batch: Batch, key: Any) -> Pass:
            passed = inner(params, buffers, batch, key)
            names = () if strengths.is_off("rate") else reached(memory, params, passed.loss)
            if not names:
                return passed
            size = torch.stack([mixed_size(params[name], self.share) for name in names]).sum()
            return passed._replace(loss=passed.loss + strengths["rate"] * size)

        return penalized


def mixed_size(w: Tensor, share: float) -> Tensor:
    """Return share·Σ|w| + (1 − share)/2·Σw², ()."""
    return share * torch.sum(w.abs()) + 0.5 * (1.0 - share) * torch.sum(w * w)
