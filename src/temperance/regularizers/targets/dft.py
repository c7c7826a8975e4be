"""Dynamic fine-tuning: a token counts by how likely the net finds it."""

from __future__ import annotations

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
class DFT(Regularizer):
    """Count each token, or row, by the probability that the net gives it.

        loss + s·(sg(p) − 1)·(−log p),  p the probability of the label, sg: held fast;
        for cross-entropy: (1 − s)·CE + s·sg(p)·CE, and with s = 1 the published −sg(p)·log p

    The slope of cross-entropy is 1/p of that of p, so it pulls hardest at what the net finds least likely. With s = 1
    this factor is gone: what is unlike all that the net knows hardly moves it. With ``KLAnchor`` it is ASFT.

    Stage: objective (target).  Cost: one log-softmax.  Strengths: share s in [0, 1], neutral 0, linear, stronger = up.
    Shapes: outputs (b, …, c) logits; targets class numbers, probabilities (b, c) or mixed. The loss should be
    cross-entropy.
    Use when: fine-tuning a language model on answers that it half knows (mathematics, code).
    Avoid when: the new task is far from what the net knows: it then hardly learns; training from scratch.

    Args:
        share: s.

    Raises:
        SettingError: s outside its range.
        RecipeError: the outputs are not logits of two or more classes, or the loss weighs or softens classes itself.

    Example:
        >>> DFT().to_dict()
        {'name': 'DFT', 'share': 1.0}

    References: Wu et al. (2025), arXiv:2508.05629, section 3.3; Zhu et al. (2025), arXiv:2509.23753 (ASFT).

    """

    share: float = 1.0

    strengths: ClassVar[dict[str, Strength]] = {
        "share": Strength(1.0, low=0.0, high=1.0, neutral=0.0, words="how much unlikely tokens count less")
    }
    family: ClassVar[str] = "targets"
    rank: ClassVar[Rank] = Rank.TARGET
    effect: ClassVar[Effect] = {"share": ("departure", "up")}
    unique: ClassVar[bool] = True
    roles: ClassVar[tuple[str, ...]] = ("replaces the loss",)
    rules: ClassVar[tuple[Rule, ...]] = (
        Rule("replaces the loss", "refuse", "each would replace the loss", "Keep one of them"),
        Rule("softens targets", "refuse", "it is not clear which loss is softened", "Keep one of them"),
    )
    citations: ClassVar[tuple[Citation, ...]] = (
        Citation(
            "wu2025", "Wu et al.", 2025,
            "On the generalization of SFT: a reinforcement learning perspective with reward rectification", "arXiv",
            "2508.05629", "section 3.3",
        ),
        Citation("zhu2025", "Zhu et al.", 2025, "Anchored supervised fine-tuning", "ICLR 2026", "2509.23753"),
    )  # fmt: skip

    def objective(self, inner: Objective, strengths: Strengths, memory: Memory) -> Objective:
        """Weigh the cross-entropy."""

        def weighed(params: Leaves, buffers: Mapping[str, Tensor], batch: Batch, key: Any) -> Pass:
            if strengths.is_off("share"):
                return inner(params, buffers, batch, key)
            passed, alone = without_cross_entropy(inner, params, buffers, batch, key)
            seen: Batch = passed.batch or batch
            if not alone:
                require_plain_entropy(seen, "DFT")
            share = strengths.number("share")

            def lost(ce: Tensor) -> Tensor:
                s = share.to(ce.dtype) if isinstance(share, Tensor) else share
                less = s * torch.rsub(torch.exp(-ce.detach()), 1)
                return (1 - less if alone else less) * ce

            def by_place(outputs: Any, labels: Tensor) -> Tensor:
                logits = class_logits(outputs, "DFT", batch=seen)
                return per_label(logits, labels, lost, "DFT", by_member=seen.convention.by_member)

            value = measure(by_place, passed.outputs, seen, is_own=True)
            return passed._replace(loss=value if alone else passed.loss - value)

        return weighed
