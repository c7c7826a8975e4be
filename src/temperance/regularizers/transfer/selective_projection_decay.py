"""Selective projection decay."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from temperance.control.strength import Strength
from temperance.core.kit.weights import present
from temperance.core.leaves import Leaves
from temperance.core.policy import trainable
from temperance.core.regularizer import Context, Effect, Memory, Rank, Rate, Regularizer, Strengths, Update, techniques
from temperance.core.rules import Rule
from temperance.records.citation import Citation
from temperance.records.cost import Cost


@techniques.add
@dataclass(frozen=True, repr=False)
class SelectiveProjectionDecay(Regularizer):
    """Pull a layer back to its pretrained weights only while it runs away from them.

        where Σ g·(w − w₀) > 0 before the step w → w':
        w' ← w' − λ·r·(w' − w₀),  r = clip((‖w' − w₀‖ − ‖w − w₀‖)/‖w' − w₀‖, 0, 1)

    The condition says that the gradient itself wants to come back. With λ = 1 the layer then goes no further from w₀
    than it was. Each tensor decides alone. w₀ are the weights at attach: load the pretrained ones before.

    Stage: update (project, after the optimizer).  Cost: one copy of the weights, two norms per tensor.
    Strengths: rate λ in [1e-3, 10], neutral 0, log, stronger = up.
    Shapes: any; every trained tensor.
    Use when: fine-tuning large pretrained nets that shall stay good on other data.
    Avoid when: training from scratch, or the tasks are far apart.

    Args:
        rate: coefficient λ.

    Raises:
        SettingError: λ outside its range.

    Example:
        >>> SelectiveProjectionDecay(0.5)
        SelectiveProjectionDecay(rate=0.5)

    References: Tian, Huang and Kira (2024), arXiv:2411.01713, algorithm 1.

    """

    rate: float = 1.0

    strengths: ClassVar[dict[str, Strength]] = {
        "rate": Strength(
            1.0, low=1e-3, high=10.0, neutral=0.0, scale="log", words="how hard a layer that runs away is pulled back"
        )
    }
    family: ClassVar[str] = "transfer"
    takes_complex: ClassVar[bool] = False
    rank: ClassVar[Rank] = Rank.PROJECT
    effect: ClassVar[Effect] = {"rate": ("travel", "down")}
    cost: ClassVar[Cost] = Cost(copies=1)
    unique: ClassVar[bool] = True
    roles: ClassVar[tuple[str, ...]] = ("anchors",)
    rules: ClassVar[tuple[Rule, ...]] = (
        Rule("decays", "warn", "one pulls to zero, the other to the starting weights", "Leave the decay out"),
        Rule("anchors", "refuse", "both hold on to the starting weights", "Keep one of them"),
    )
    reads_gradients: ClassVar[bool] = True
    citations: ClassVar[tuple[Citation, ...]] = (
        Citation(
            "tian2024",
            "Tian, Huang, Kira",
            2024,
            "Rethinking weight decay for robust fine-tuning of foundation models",
            "NeurIPS",
            "2411.01713",
        ),
    )

    def plan(self, context: Context) -> tuple[str, ...]:
        """Return the names of the trained tensors."""
        return tuple(trainable(context.model))

    def begin(self, params: Leaves, context: Context) -> dict[str, Any]:
        """Remember the starting weights."""
        return {"anchor": params.clone()}

    def update(self, inner: Update, strengths: Strengths, memory: Memory) -> Update:
        """Note where each tensor is, step, then pull back."""

        def step(params: Leaves, grads: Leaves, rate: Rate) -> Leaves:
            if strengths.is_off("rate"):
                return inner(params, grads, rate)
            names = present(grads, memory.plan)
            anchor = memory["anchor"].part(names).tensors
            with torch.no_grad():
                before = [
                    distance(w, a, g, ask=params.owned and w.device.type == "cpu")
                    for w, a, g in zip(params.part(names).tensors, anchor, grads.part(names).tensors, strict=True)
                ]
            params = inner(params, grads, rate)
            lam = strengths.number("rate")
            with torch.no_grad():
                part = params.part(names)
                rows = zip(part.tensors, anchor, before, strict=True)
                if params.owned:
                    for w, a, known in rows:
                        if known is not None:
                            w.sub_(excess(w, a, *known, lam))
                    return params
                back = [torch.zeros_like(w) if known is None else excess(w, a, *known, lam) for w, a, known in rows]
                return params.add_(part.like(back), -1.0, only=names)

        return step


def distance(w: Tensor, anchor: Tensor, grad: Tensor, *, ask: bool) -> tuple[Tensor, Tensor] | None:
    """Return ‖w − w₀‖ and whether the gradient wants back, (); None where it does not and one may ``ask``."""
    away = w - anchor
    wants_back = torch.sum(grad * away) > 0
    if ask and not wants_back:
        return None
    return torch.linalg.vector_norm(away), wants_back


def excess(w: Tensor, anchor: Tensor, before: Tensor, wants_back: Tensor, lam: Any) -> Tensor:
    """Return λ·r·(w − w₀) where ``wants_back``, else 0; ``before`` is the distance before the step.

    Shapes: w and anchor alike, (…,); before and wants_back ().
    """
    away = w - anchor
    now: Tensor = torch.linalg.vector_norm(away)
    ratio = ((now - before) / now.clamp_min(1e-30)).clamp(0.0, 1.0) * wants_back
    back: Tensor = away * (ratio * lam)
    return back
