"""Input-gradient penalty."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from temperance.control.strength import Strength
from temperance.core.batch import Batch, Pass, plus, portioned, row_counts
from temperance.core.kit.tracing import mean_squared, traced
from temperance.core.leaves import Leaves
from temperance.core.regularizer import Effect, Memory, Objective, Rank, Regularizer, Strengths, techniques
from temperance.core.rules import Rule
from temperance.records.citation import Citation
from temperance.records.cost import Cost


@techniques.add
@dataclass(frozen=True, repr=False)
class InputGradientPenalty(Regularizer):
    """Punish a loss that rises fast when the inputs change (double backpropagation).

        loss + weight · mean over examples of ‖∂l/∂x‖²,  l the training loss of that example

    The gradient is that of the loss as trained (with smoothing, mixing and other ingredients), by the inputs as given.
    Where layers mix examples (BatchNorm in training), it is that of the summed loss.

    Stage: objective (penalty).  Cost: one forward and two backward passes, the second one through the first.
    Strengths: weight in [1e-5, 100], neutral 0, log, stronger = up.
    Shapes: floating inputs (b, …), integer inputs are left out (tokens alone: the gradient is by their vectors).
    Use when: noise on the inputs must not change answers; explanations by gradients should be calm.  Avoid when: memory
    is short.

    Args:
        weight: weight of the penalty.

    Raises:
        SettingError: weight outside its range.
        RecipeError: no floating inputs and no input embedding; outputs that are no tensor.

    Example:
        >>> InputGradientPenalty(0.5).to_dict()
        {'name': 'InputGradientPenalty', 'weight': 0.5}

    References: Drucker and LeCun (1992), IEEE Transactions on Neural Networks 3, 991; Ross and Doshi-Velez (2018),
    arXiv:1711.09404, section 3, eq. 4.

    """

    weight: float = 0.1

    strengths: ClassVar[dict[str, Strength]] = {
        "weight": Strength(0.1, low=1e-5, high=100.0, neutral=0.0, scale="log", words="how much a steep loss costs")
    }
    family: ClassVar[str] = "smoothness"
    rank: ClassVar[Rank] = Rank.PENALTY
    cost: ClassVar[Cost] = Cost(backwards=2)
    effect: ClassVar[Effect] = {"weight": ("departure", "up")}
    unique: ClassVar[bool] = True
    moves_inputs: ClassVar[bool] = True
    roles: ClassVar[tuple[str, ...]] = ("flattens",)
    rules: ClassVar[tuple[Rule, ...]] = (
        Rule("flattens", "warn", "both punish slopes in the inputs", "One of them is usually enough"),
        Rule("attacks", "warn", "both make answers steady around each row", "One of them is usually enough"),
    )
    citations: ClassVar[tuple[Citation, ...]] = (
        Citation(
            "drucker1992", "Drucker, LeCun", 1992, "Improving generalization performance using double backpropagation",
            "IEEE Transactions on Neural Networks",
        ),
        Citation(
            "ross2018", "Ross, Doshi-Velez", 2018, "Improving the adversarial robustness and interpretability of deep "
            "neural networks by regularizing their input gradients", "AAAI", "1711.09404", "section 3",
        ),
    )  # fmt: skip

    def objective(self, inner: Objective, strengths: Strengths, memory: Memory) -> Objective:
        """Add the penalty; where no slopes are wanted (a teacher answers) there is none."""
        address = strengths.address

        def flat(params: Leaves, buffers: Mapping[str, Tensor], batch: Batch, key: Any) -> Pass:
            if strengths.is_off("weight") or not torch.is_grad_enabled():
                return inner(params, buffers, batch, key)
            solo = strengths.mirror is not None
            one = traced(inner, params, buffers, batch, key, solo=solo, owner="InputGradientPenalty")
            parts = one.pull(torch.ones_like(one.passed.loss), None)
            seen = one.passed.batch or batch
            factor, counts = 1.0, row_counts(seen)
            if counts is None:  # the loss is a mean: undo the shares of its examples
                factor = float(batch.size) ** 2
            else:
                parts = [g / _shares(counts).to(g.dtype).reshape(-1, *[1] * (g.dim() - 1)) for g in parts]
                counts = counts.to(parts[0].dtype)
            size, share = mean_squared(parts, counts)
            size = size / portioned(size.detach().new_ones(()), seen)  # slopes of a share of the loss, squared
            loss = plus(one.passed.loss, size, strengths.number("weight") * (factor * share))
            notes = {**one.passed.notes, f"{address}.gradient": size.detach() * (factor * share)}
            return one.passed._replace(loss=loss, notes=notes)

        return flat


def _shares(weight: Tensor) -> Tensor:
    """Return the share of each example in the weighted mean, (b,); 1 where its weight is 0."""
    share = weight / weight.sum()
    return torch.where(share > 0, share, torch.ones_like(share))
