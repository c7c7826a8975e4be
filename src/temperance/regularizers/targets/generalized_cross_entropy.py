"""Generalized cross-entropy."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from temperance.control.strength import Strength
from temperance.core.batch import Batch, Pass, measure
from temperance.core.kit.classes import class_logits, per_label, require_plain_entropy
from temperance.core.leaves import Leaves
from temperance.core.objective import without_cross_entropy
from temperance.core.regularizer import Effect, Memory, Objective, Rank, Regularizer, Strengths, techniques
from temperance.core.rules import Rule
from temperance.records.citation import Citation


@techniques.add
@dataclass(frozen=True, repr=False)
class GeneralizedCrossEntropy(Regularizer):
    """Stand between cross-entropy and absolute error, so that wrong labels pull less (GCE).

        loss + l(p) + log p,  l(p) = (1 − p^q) / q;  for cross-entropy: l(p).  q → 0: −log p,  q = 1: 1 − p
        truncated: p below ``cut`` counts as ``cut``, so such an example teaches nothing

    Stage: objective (target).  Cost: one log-softmax.
    Strengths: q in [0.01, 1], neutral 0, linear, stronger = up; cut in [0, 0.9], neutral 0, linear, stronger = up
    (start at 0 and raise it late: at first every p is small).
    Shapes: outputs (b, …, c) logits, (b, k, c) with members; targets class numbers, probabilities (b, c) or mixed. The
    loss should be cross-entropy.
    Use when: labels are noisy.  Avoid when: labels are clean or there are hundreds of classes (it learns slowly).

    Args:
        q: exponent q.
        cut: probability below which an example is left out; the paper uses 0.5 after 40 epochs.
        axis: axis of the classes; None: 1 for outputs of four or more axes, else the last.

    Raises:
        SettingError: q or cut outside its range.
        RecipeError: the outputs are not logits of two or more classes.

    Example:
        >>> GeneralizedCrossEntropy().to_dict()
        {'name': 'GeneralizedCrossEntropy', 'q': 0.7, 'cut': 0.0}

    References: Zhang and Sabuncu (2018), arXiv:1805.07836, section 3.3, eq. 6, and 3.4, eq. 9.

    """

    q: float = 0.7
    cut: float = 0.0
    axis: int | None = None

    strengths: ClassVar[dict[str, Strength]] = {
        "q": Strength(0.7, low=0.01, high=1.0, neutral=0.0, words="how little examples with unlikely labels pull"),
        "cut": Strength(
            0.0, low=0.0, high=0.9, neutral=0.0, adaptive=False, words="probability below which a label is ignored"
        ),
    }
    family: ClassVar[str] = "targets"
    rank: ClassVar[Rank] = Rank.TARGET
    effect: ClassVar[Effect] = {"q": ("step_length", "down"), "cut": ("step_length", "down")}
    unique: ClassVar[bool] = True
    roles: ClassVar[tuple[str, ...]] = ("replaces the loss",)
    rules: ClassVar[tuple[Rule, ...]] = (
        Rule("replaces the loss", "refuse", "each would replace the loss", "Keep one of them"),
        Rule("softens targets", "refuse", "it is not clear which loss is softened", "Keep one of them"),
    )
    citations: ClassVar[tuple[Citation, ...]] = (
        Citation(
            "zhang2018gce", "Zhang, Sabuncu", 2018,
            "Generalized cross entropy loss for training deep neural networks with noisy labels", "NeurIPS",
            "1805.07836", "section 3.3",
        ),
    )  # fmt: skip

    def objective(self, inner: Objective, strengths: Strengths, memory: Memory) -> Objective:
        """Replace the cross-entropy."""

        def generalized(params: Leaves, buffers: Mapping[str, Tensor], batch: Batch, key: Any) -> Pass:
            if strengths.is_off("q") and strengths.is_off("cut"):
                return inner(params, buffers, batch, key)
            passed, alone = without_cross_entropy(inner, params, buffers, batch, key)

            seen: Batch = passed.batch or batch

            if not alone:
                require_plain_entropy(seen, "GeneralizedCrossEntropy")

            def weighed(outputs: Any, labels: Tensor) -> Tensor:
                members = seen.convention.by_member
                logits = class_logits(outputs, "GeneralizedCrossEntropy", self.axis, batch=seen)
                q, cut = strengths.number("q"), strengths.number("cut")
                return per_label(
                    logits, labels, lambda ce: _weighed(ce, q, cut, alone), "GeneralizedCrossEntropy", by_member=members
                )

            value = measure(weighed, passed.outputs, seen, is_own=True)
            return passed._replace(loss=value if alone else passed.loss - value)

        return generalized


def _weighed(ce: Tensor, q: float | Tensor, cut: float | Tensor, alone: bool) -> Tensor:
    """Return the generalized cross-entropy, or by how much it is less than the cross-entropy."""
    if isinstance(q, Tensor) or isinstance(cut, Tensor):
        held = torch.minimum(ce, -torch.as_tensor(cut, dtype=ce.dtype).log())
        q = torch.as_tensor(q, dtype=ce.dtype)
        some = torch.where(q > 0, q, torch.ones_like(q))
        away = torch.where(q > 0, torch.expm1(-some * held) / some, -held)
        return -away if alone else ce + away
    held = ce.clamp_max(-math.log(cut)) if cut else ce
    if alone:
        return torch.expm1(held * -q) * (-1 / q) if q else held
    return torch.add(ce, torch.expm1(held * -q), alpha=1 / q) if q else ce - held
