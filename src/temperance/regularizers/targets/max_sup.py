"""Max suppression."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

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
class MaxSup(Regularizer):
    """Hold the largest logit near the mean of all logits, whichever class it belongs to.

        loss + α·(max z − mean z)

    Where the largest logit is the right one this is label smoothing's term; where it is wrong, label smoothing pushes
    the wrong class up and this pushes it down.

    Stage: objective (target).  Cost: free.  Strengths: alpha in [0, 1], neutral 0, linear, stronger = up. The authors
    raise it from 0.1 to 0.2 over the training (controller ``Linear``).
    Shapes: outputs (b, …, c) logits; (b, k, c) with members.
    Use when: the features go on to another task.  Avoid when: calibrated probabilities matter.

    Args:
        alpha: weight α.
        axis: axis of the classes; None: 1 for outputs of four or more axes, else the last.

    Raises:
        SettingError: α outside its range.
        RecipeError: the outputs are not logits of two or more classes.

    Example:
        >>> MaxSup(0.2).to_dict()
        {'name': 'MaxSup', 'alpha': 0.2}

    References: Zhou et al. (2025), arXiv:2502.15798, section 3.2, eq. 8.

    """

    alpha: float = 0.1
    axis: int | None = None

    strengths: ClassVar[dict[str, Strength]] = {
        "alpha": Strength(0.1, low=0.0, high=1.0, neutral=0.0, words="how hard the largest answer is held back")
    }
    family: ClassVar[str] = "targets"
    rank: ClassVar[Rank] = Rank.TARGET
    effect: ClassVar[Effect] = {"alpha": ("confidence", "down")}
    unique: ClassVar[bool] = True
    roles: ClassVar[tuple[str, ...]] = ("softens targets",)
    rules: ClassVar[tuple[Rule, ...]] = (
        Rule("softens targets", "refuse", "the targets would be softened twice", "Keep one of them"),
    )
    citations: ClassVar[tuple[Citation, ...]] = (
        Citation(
            "zhou2025", "Zhou et al.", 2025,
            "MaxSup: overcoming representation collapse in label smoothing", "NeurIPS", "2502.15798", "section 3.2",
        ),
    )  # fmt: skip

    def objective(self, inner: Objective, strengths: Strengths, memory: Memory) -> Objective:
        """Add the term to the loss."""

        def suppressed(params: Leaves, buffers: Mapping[str, Tensor], batch: Batch, key: Any) -> Pass:
            passed = inner(params, buffers, batch, key)
            if strengths.is_off("alpha"):
                return passed
            seen: Batch = passed.batch or batch
            logits = class_logits(passed.outputs, "MaxSup", self.axis, batch=seen)
            term = mean(torch.amax(logits, -1) - logits.mean(-1), seen)
            return passed._replace(loss=plus(passed.loss, term, strengths.number("alpha")))

        return suppressed
