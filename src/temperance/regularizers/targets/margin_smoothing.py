"""Margin-based label smoothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import torch
from torch import Tensor

from temperance.control.strength import Strength
from temperance.core.batch import Batch, Pass, mean, plus
from temperance.core.kit.classes import class_logits
from temperance.core.leaves import Leaves
from temperance.core.regularizer import Effect, Memory, Objective, Rank, Regularizer, Strengths, techniques
from temperance.core.rules import Rule
from temperance.records.citation import Citation


@techniques.add
@dataclass(frozen=True, repr=False)
class MarginSmoothing(Regularizer):
    """Leave the logits alone until one leads the others by more than a margin (MbLS).

        loss + α · mean over classes of max(0, max z − z_c − m)

    The paper sums over the classes; its code takes the mean, and its α = 0.1 belongs to the mean. So does this.

    Stage: objective (target).  Cost: free.
    Strengths: alpha in [0, 2], neutral 0, linear, stronger = up; margin m in [0.1, 100], neutral ∞, log,
    stronger = down.
    Shapes: outputs (b, …, c) logits; (b, k, c) with members.
    Use when: probabilities must be calibrated and accuracy must not suffer.  Avoid when: the nets are small and their
    logits never lead by the margin: it does nothing then.

    Args:
        alpha: weight α.
        margin: lead m that is free, in logits.
        axis: axis of the classes; None: 1 for outputs of four or more axes, else the last.

    Raises:
        SettingError: α or m outside its range.
        RecipeError: the outputs are not logits of two or more classes.

    Example:
        >>> MarginSmoothing(margin=6.0).to_dict()
        {'name': 'MarginSmoothing', 'alpha': 0.1, 'margin': 6.0}

    References: Liu et al. (2022), arXiv:2111.15430, section 3.3, eq. 8.

    """

    alpha: float = 0.1
    margin: float = 10.0
    axis: int | None = None

    strengths: ClassVar[dict[str, Strength]] = {
        "alpha": Strength(
            0.1, low=0.0, high=2.0, neutral=0.0, words="how hard leads over the margin are pushed back"
        ),
        "margin": Strength(
            10.0, low=0.1, high=100.0, neutral=float("inf"), scale="log", stronger="down", adaptive=False,
            unit="logits", words="lead over other classes that is free",
        ),
    }  # fmt: skip
    family: ClassVar[str] = "targets"
    rank: ClassVar[Rank] = Rank.TARGET
    effect: ClassVar[Effect] = {"alpha": ("confidence", "down"), "margin": ("confidence", "down")}
    unique: ClassVar[bool] = True
    roles: ClassVar[tuple[str, ...]] = ("softens targets",)
    rules: ClassVar[tuple[Rule, ...]] = (
        Rule("softens targets", "refuse", "the targets would be softened twice", "Keep one of them"),
    )
    citations: ClassVar[tuple[Citation, ...]] = (
        Citation(
            "liu2022mbls", "Liu et al.", 2022,
            "The devil is in the margin: margin-based label smoothing for network calibration", "CVPR", "2111.15430",
            "section 3.3",
        ),
    )  # fmt: skip

    @classmethod
    def samples(cls) -> Iterable[Self]:
        """Return one whose margin small nets reach."""
        return (cls(0.5, margin=0.5),)

    def objective(self, inner: Objective, strengths: Strengths, memory: Memory) -> Objective:
        """Add the term to the loss."""

        def margined(params: Leaves, buffers: Mapping[str, Tensor], batch: Batch, key: Any) -> Pass:
            passed = inner(params, buffers, batch, key)
            if strengths.is_off("alpha") or strengths.is_off("margin", float("inf")):
                return passed
            seen: Batch = passed.batch or batch
            logits = class_logits(passed.outputs, "MarginSmoothing", self.axis, batch=seen)
            lead = logits.amax(-1, keepdim=True) - logits
            margin = strengths.number("margin")
            over = torch.relu(lead - (margin.to(lead.dtype) if isinstance(margin, Tensor) else margin))
            term = mean(over, seen)  # its mean over the classes too
            return passed._replace(loss=plus(passed.loss, term, strengths.number("alpha")))

        return margined
