"""Focal loss."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import torch
from torch import Tensor
from torch.nn import functional

from temperance.control.strength import Strength
from temperance.core.batch import Batch, Pass, measure
from temperance.core.kit.classes import class_logits, label_logits, per_label, require_plain_entropy
from temperance.core.leaves import Leaves
from temperance.core.objective import without_cross_entropy
from temperance.core.regularizer import Effect, Memory, Objective, Rank, Regularizer, Strengths, techniques
from temperance.core.rules import Rule
from temperance.records.citation import Citation
from temperance.records.errors import RecipeError, SettingError


@techniques.add
@dataclass(frozen=True, repr=False)
class Focal(Regularizer):
    """Count examples less the surer the net is of their label.

        loss + ((1 − p)^γ − 1)·(−log p),  p the probability of the label;  for cross-entropy: (1 − p)^γ · CE

    ``by="flsd53"``: γ grows by 5/3 where p < 0.2, so that γ = 3 gives the published 5 and 3.

    Stage: objective (target).  Cost: one log-softmax.  Strengths: gamma in [0, 20], neutral 0, linear, stronger = up.
    Shapes: outputs (b, …, c) logits, (b, k, c) with members; targets class numbers, probabilities (b, c) or mixed. The
    loss should be cross-entropy.
    Use when: most examples are easy, or probabilities are too extreme.  Avoid when: labels are noisy (it dwells on the
    wrong ones); late in training it makes the net less sure than it should be.

    Args:
        gamma: exponent γ.
        by: ``all`` for one γ, or ``flsd53``.
        axis: axis of the classes; None: 1 for outputs of four or more axes, else the last.

    Raises:
        SettingError: γ outside its range, or an unknown ``by``.
        RecipeError: the outputs are not logits of two or more classes.

    Example:
        >>> Focal(by="flsd53").to_dict()
        {'name': 'Focal', 'gamma': 3.0, 'by': 'flsd53'}

    References: Lin et al. (2017), arXiv:1708.02002, eq. 4; Mukhoti et al. (2020), arXiv:2002.09437, section 5.

    """

    gamma: float = 3.0
    by: str = "all"
    axis: int | None = None

    strengths: ClassVar[dict[str, Strength]] = {
        "gamma": Strength(3.0, low=0.0, high=20.0, neutral=0.0, words="how little easy examples count")
    }
    family: ClassVar[str] = "targets"
    rank: ClassVar[Rank] = Rank.TARGET
    effect: ClassVar[Effect] = {"gamma": ("confidence", "down")}
    unique: ClassVar[bool] = True
    roles: ClassVar[tuple[str, ...]] = ("replaces the loss",)
    rules: ClassVar[tuple[Rule, ...]] = (
        Rule("replaces the loss", "refuse", "each would replace the loss", "Keep one of them"),
        Rule("softens targets", "refuse", "it is not clear which loss is softened", "Keep one of them"),
    )
    citations: ClassVar[tuple[Citation, ...]] = (
        Citation("lin2017", "Lin et al.", 2017, "Focal loss for dense object detection", "ICCV", "1708.02002", "eq. 4"),
        Citation(
            "mukhoti2020", "Mukhoti et al.", 2020, "Calibrating deep neural networks using focal loss", "NeurIPS",
            "2002.09437", "section 5",
        ),
    )  # fmt: skip

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.by not in ("all", "flsd53"):
            raise SettingError(f"Focal got by={self.by!r}", "it is 'all' or 'flsd53'", "Pick one")

    @classmethod
    def samples(cls) -> Iterable[Self]:
        """Return both kinds."""
        return (cls(), cls(by="flsd53"))

    def objective(self, inner: Objective, strengths: Strengths, memory: Memory) -> Objective:
        """Weigh the cross-entropy."""

        def focused(params: Leaves, buffers: Mapping[str, Tensor], batch: Batch, key: Any) -> Pass:
            if strengths.is_off("gamma"):
                return inner(params, buffers, batch, key)
            passed, alone = without_cross_entropy(inner, params, buffers, batch, key)

            seen: Batch = passed.batch or batch
            if seen.convention.kind == "labels":
                return passed._replace(loss=passed.loss - self._lead_of_labels(passed.outputs, seen, strengths))

            if not alone:
                require_plain_entropy(seen, "Focal")

            def weighed(outputs: Any, labels: Tensor) -> Tensor:
                members = seen.convention.by_member
                logits, gamma = class_logits(outputs, "Focal", self.axis, batch=seen), strengths.number("gamma")
                return per_label(logits, labels, lambda ce: self._weighed(ce, gamma, alone), "Focal", by_member=members)

            value = measure(weighed, passed.outputs, seen, is_own=True)
            return passed._replace(loss=value if alone else passed.loss - value)

        return focused

    def _lead_of_labels(self, outputs: Any, seen: Batch, strengths: Strengths) -> Tensor:
        """Return by how much the focal loss of several labels per row is less than their binary cross-entropy, ()."""
        if seen.convention.is_weighted or seen.convention.is_sum:
            raise RecipeError(
                f"the loss is {seen.convention.name} with weights or a sum of its own",
                "Focal with several labels weighs the mean of plain binary cross-entropies",
                "Use nn.BCEWithLogitsLoss() with nothing set, or leave Focal out",
            )
        gamma = strengths.number("gamma")

        def lead(logits: Tensor, labels: Tensor) -> Tensor:
            ce = functional.binary_cross_entropy_with_logits(logits, labels.to(logits.dtype), reduction="none")
            return self._weighed(ce, gamma, alone=False)

        return measure(lead, label_logits(outputs, "Focal"), seen)

    def _weighed(self, ce: Tensor, gamma: float | Tensor, alone: bool) -> Tensor:
        """Return the focal loss, or by how much it is less than the cross-entropy."""
        p = torch.exp(-ce)
        if isinstance(gamma, Tensor):
            gamma = gamma.to(p.dtype)
        if self.by == "flsd53":
            gamma = gamma * (1 + (p.detach() < 0.2).to(p.dtype) * (2 / 3))
        rest = torch.rsub(p, 1, alpha=1 - torch.finfo(p.dtype).eps)  # never 0, where the power has no slope
        return (rest**gamma if alone else torch.rsub(rest**gamma, 1)) * ce
