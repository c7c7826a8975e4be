"""Early-learning regularization."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from temperance.control.strength import Strength
from temperance.core.batch import Batch, Pass, mean, plus
from temperance.core.kit.classes import class_logits, member_mean, softmax, spread
from temperance.core.kit.rows import places, recall, remember
from temperance.core.leaves import Leaves
from temperance.core.regularizer import Effect, Memory, Objective, Rank, Regularizer, Strengths, techniques
from temperance.core.rules import Rule
from temperance.records.citation import Citation
from temperance.records.errors import SettingError


@techniques.add
@dataclass(frozen=True, repr=False)
class EarlyLearning(Regularizer):
    """Hold each answer near what the net said about that example so far, before it learnt wrong labels by heart (ELR).

        p = softmax(z) clamped to [1e-4, 1 − 1e-4],  tᵢ ← β·tᵢ + (1 − β)·p / Σp  (t = 0 at first)
        loss + λ · mean log(1 − ⟨tᵢ, p⟩)

    With members, tᵢ remembers their mean and holds each of them.

    Stage: objective (target).  Cost: one softmax and n·c numbers of memory (n examples).
    Strengths: weight λ in [0, 20], neutral 0, linear, stronger = up.
    Shapes: outputs (b, c) logits or (b, k, c) with members; the batch needs ``index`` (b,).
    Use when: a good part of the labels is wrong.  Avoid when: labels are clean; examples cannot be told apart.

    Args:
        weight: λ; 3 for ten classes, 7 for a hundred.
        decay: β; 0.7 for ten classes, 0.9 for a hundred.

    Raises:
        SettingError: λ or β outside its range.
        RecipeError: the batch has no index or is mixed; the outputs are not logits of a classifier.

    Example:
        >>> EarlyLearning().to_dict()
        {'name': 'EarlyLearning', 'weight': 3.0, 'decay': 0.7}

    References: Liu et al. (2020), arXiv:2007.00151, section 4.2, eq. 6 and 9.

    """

    weight: float = 3.0
    decay: float = 0.7

    strengths: ClassVar[dict[str, Strength]] = {
        "weight": Strength(3.0, low=0.0, high=20.0, neutral=0.0, words="how firmly early answers are held")
    }
    family: ClassVar[str] = "targets"
    rank: ClassVar[Rank] = Rank.TARGET
    effect: ClassVar[Effect] = {"weight": ("departure", "up")}
    unique: ClassVar[bool] = True
    roles: ClassVar[tuple[str, ...]] = ("remembers examples",)
    rules: ClassVar[tuple[Rule, ...]] = (
        Rule("mixes", "refuse", "it remembers single examples, and a blend is two", "Keep one of them"),
        Rule("softens targets", "warn", "one raises certainty, the other lowers it", "Use less of each"),
    )
    citations: ClassVar[tuple[Citation, ...]] = (
        Citation(
            "liu2020elr", "Liu et al.", 2020,
            "Early-learning regularization prevents memorization of noisy labels", "NeurIPS", "2007.00151",
            "section 4.2",
        ),
    )  # fmt: skip

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.decay <= 0.9999:
            raise SettingError(
                f"EarlyLearning got decay={self.decay!r}", "decay lies between 0 and 0.9999", "0.7 is the default"
            )

    def objective(self, inner: Objective, strengths: Strengths, memory: Memory) -> Objective:
        """Add the term to the loss and remember the answers."""
        in_place = strengths.mirror is not None

        def held(params: Leaves, buffers: Mapping[str, Tensor], batch: Batch, key: Any) -> Pass:
            passed = inner(params, buffers, batch, key)
            if strengths.is_off("weight"):
                return passed
            seen: Batch = passed.batch or batch
            index = places(seen, "EarlyLearning")
            logits = class_logits(passed.outputs, "EarlyLearning", batch=seen)
            shares = softmax(logits).clamp(1e-4, 1 - 1e-4)
            said = member_mean(shares.detach(), "EarlyLearning", batch=seen)
            old = recall(memory, index, said, in_place=in_place)
            target = self.decay * old + (1 - self.decay) * said / said.sum(-1, keepdim=True)
            agreement = (spread(target, shares.dim()) * shares).sum(-1)
            term = mean(torch.log1p(-agreement), seen)
            passed = remember(passed, memory, index, target, in_place=in_place)
            return passed._replace(loss=plus(passed.loss, term, strengths.number("weight")))

        return held
