"""Confidence penalty."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from torch import Tensor

from temperance.control.strength import Strength
from temperance.core.batch import Batch, Pass, mean, plus
from temperance.core.kit.classes import class_logits, log_softmax
from temperance.core.leaves import Leaves
from temperance.core.objective import label_loss, without_cross_entropy
from temperance.core.regularizer import Effect, Memory, Objective, Rank, Regularizer, Strengths, techniques
from temperance.core.rules import Rule
from temperance.records.citation import Citation


@techniques.add
@dataclass(frozen=True, repr=False)
class ConfidencePenalty(Regularizer):
    """Reward answers that stay open: subtract the entropy of the probabilities from the loss.

        loss − β·H(p),  H(p) = −Σ p log p,  p = softmax(z)

    Stage: objective (target).  Cost: one log-softmax.  Strengths: beta in [0, 2], neutral 0, linear, stronger = up.
    Shapes: outputs (b, …, c) logits; (b, k, c) with members.
    Use when: a net is sure of everything it says.  Avoid when: labels are hard to fit already.

    Args:
        beta: weight β.
        axis: axis of the classes; None: 1 for outputs of four or more axes, else the last.

    Raises:
        SettingError: β outside its range.
        RecipeError: the outputs are not logits of two or more classes.

    Example:
        >>> ConfidencePenalty(0.3).to_dict()
        {'name': 'ConfidencePenalty', 'beta': 0.3}

    References: Pereyra et al. (2017), arXiv:1701.06548, section 3.

    """

    beta: float = 0.1
    axis: int | None = None

    strengths: ClassVar[dict[str, Strength]] = {
        "beta": Strength(0.1, low=0.0, high=2.0, neutral=0.0, words="how much an open answer is worth")
    }
    family: ClassVar[str] = "targets"
    rank: ClassVar[Rank] = Rank.TARGET
    effect: ClassVar[Effect] = {"beta": ("confidence", "down")}
    unique: ClassVar[bool] = True
    roles: ClassVar[tuple[str, ...]] = ("softens targets",)
    rules: ClassVar[tuple[Rule, ...]] = (
        Rule("softens targets", "refuse", "confidence would be lowered twice", "Keep one of them"),
    )
    citations: ClassVar[tuple[Citation, ...]] = (
        Citation(
            "pereyra2017", "Pereyra et al.", 2017,
            "Regularizing neural networks by penalizing confident output distributions", "ICLR workshop",
            "1701.06548", "section 3",
        ),
    )  # fmt: skip

    def objective(self, inner: Objective, strengths: Strengths, memory: Memory) -> Objective:
        """Subtract the entropy."""

        def penalized(params: Leaves, buffers: Mapping[str, Tensor], batch: Batch, key: Any) -> Pass:
            if strengths.is_off("beta"):
                return inner(params, buffers, batch, key)
            passed, alone = without_cross_entropy(inner, params, buffers, batch, key)
            seen: Batch = passed.batch or batch
            logs = log_softmax(class_logits(passed.outputs, "ConfidencePenalty", self.axis, batch=seen))
            negative = mean(logs.exp() * logs, seen)  # its mean over the classes too
            factor = strengths.number("beta") * logs.shape[-1]
            value = label_loss(logs, batch) if alone else passed.loss
            return passed._replace(loss=plus(value, negative, factor))

        return penalized
