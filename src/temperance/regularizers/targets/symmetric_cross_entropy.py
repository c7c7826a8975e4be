"""Symmetric cross-entropy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from temperance.control.strength import Strength
from temperance.core.batch import Batch, Pass, measure, plus
from temperance.core.kit.classes import class_logits, per_label
from temperance.core.leaves import Leaves
from temperance.core.regularizer import Effect, Memory, Objective, Rank, Regularizer, Strengths, techniques
from temperance.core.rules import Rule
from temperance.records.citation import Citation
from temperance.records.errors import SettingError


@techniques.add
@dataclass(frozen=True, repr=False)
class SymmetricCrossEntropy(Regularizer):
    """Weaken the cross-entropy and add its mirror image, which wrong labels cannot blow up (SCE).

        α·loss + β·RCE,  RCE = −Σ p·log y with log 0 := A;  for a hard label: −A·(1 − p)

    Stage: objective (target).  Cost: one log-softmax.
    Strengths: alpha in [0.01, 1], neutral 1, log, stronger = down; beta in [0, 10], neutral 0, linear, stronger = up.
    Shapes: outputs (b, …, c) logits, (b, k, c) with members; targets class numbers, probabilities (b, c) or mixed.
    Use when: labels are noisy.  Avoid when: labels are clean.

    Args:
        alpha: weight α of the loss.
        beta: weight β of the reverse cross-entropy.
        floor: A, the logarithm of a zero; below 0. The paper's text uses −4, the authors' code log(1e-4) = −9.21.
        axis: axis of the classes; None: 1 for outputs of four or more axes, else the last.

    Raises:
        SettingError: α, β or A outside its range.
        RecipeError: the outputs are not logits of two or more classes.

    Example:
        >>> SymmetricCrossEntropy(0.5).to_dict()
        {'name': 'SymmetricCrossEntropy', 'alpha': 0.5, 'beta': 1.0, 'floor': -4.0}

    References: Wang et al. (2019), arXiv:1908.06112, section 3.2, eq. 6 and 7.

    """

    alpha: float = 0.1
    beta: float = 1.0
    floor: float = -4.0
    axis: int | None = None

    strengths: ClassVar[dict[str, Strength]] = {
        "alpha": Strength(
            0.1, low=0.01, high=1.0, neutral=1.0, scale="log", stronger="down", words="how much the usual loss counts"
        ),
        "beta": Strength(1.0, low=0.0, high=10.0, neutral=0.0, words="how much the mirrored loss counts"),
    }
    family: ClassVar[str] = "targets"
    rank: ClassVar[Rank] = Rank.TARGET
    effect: ClassVar[Effect] = {"alpha": ("step_length", "down"), "beta": ("step_length", "up")}
    unique: ClassVar[bool] = True
    roles: ClassVar[tuple[str, ...]] = ("replaces the loss",)
    rules: ClassVar[tuple[Rule, ...]] = (
        Rule("replaces the loss", "refuse", "each would replace the loss", "Keep one of them"),
        Rule("softens targets", "refuse", "it is not clear which loss is softened", "Keep one of them"),
    )
    citations: ClassVar[tuple[Citation, ...]] = (
        Citation(
            "wang2019", "Wang et al.", 2019, "Symmetric cross entropy for robust learning with noisy labels", "ICCV",
            "1908.06112", "section 3.2",
        ),
    )  # fmt: skip

    def __post_init__(self) -> None:
        super().__post_init__()
        if not -100 <= self.floor < 0:
            raise SettingError(
                f"SymmetricCrossEntropy got floor={self.floor!r}", "it lies between -100 and 0", "-4 is the default"
            )

    def objective(self, inner: Objective, strengths: Strengths, memory: Memory) -> Objective:
        """Weigh the loss and add its mirror image."""

        def symmetric(params: Leaves, buffers: Mapping[str, Tensor], batch: Batch, key: Any) -> Pass:
            passed = inner(params, buffers, batch, key)
            if strengths.is_off("alpha", 1.0) and strengths.is_off("beta"):
                return passed

            seen: Batch = passed.batch or batch

            def reverse(outputs: Any, labels: Tensor) -> Tensor:
                members = seen.convention.by_member
                logits = class_logits(outputs, "SymmetricCrossEntropy", self.axis, batch=seen)
                return per_label(
                    logits, labels, lambda ce: torch.expm1(-ce), "SymmetricCrossEntropy", by_member=members
                )

            extra = measure(reverse, passed.outputs, seen, is_own=True)
            alpha, beta = strengths.number("alpha"), strengths.number("beta") * self.floor
            weaker = passed.loss * (alpha.to(extra.dtype) if isinstance(alpha, Tensor) else alpha)
            return passed._replace(loss=plus(weaker, extra, beta))

        return symmetric
