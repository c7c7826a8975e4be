"""Cautious weight decay."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from temperance.control.strength import Strength
from temperance.core.kit.weights import present, rates, require_matrices
from temperance.core.leaves import Leaves
from temperance.core.optimizers import no_torch_optimizer_decay
from temperance.core.regularizer import Context, Effect, Memory, Rank, Rate, Regularizer, Strengths, Update, techniques
from temperance.core.rules import Rule
from temperance.records.citation import Citation
from temperance.records.cost import Cost


@techniques.add
@dataclass(frozen=True, repr=False)
class CautiousDecay(Regularizer):
    """Decay a weight only where the optimizer's step makes it smaller anyway.

        w ← w − η·(u + λ·1[u·w ≥ 0]·w), entry by entry; u is the optimizer's step divided by −η

    The minimum that is sought is that of the plain loss: decay never fights the optimizer.

    Stage: update (around the optimizer).  Cost: one temporary copy of the matrices.
    Strengths: rate λ in [1e-6, 5], neutral 0, log, stronger = up.
    Shapes: any; biases, norms and embeddings are left alone.
    Use when: long trainings on much data, where plain decay holds the loss up.
    Avoid when: weights shall be small: this is no replacement for ``WeightDecay`` on small data.

    Args:
        rate: coefficient λ per unit of learning rate.

    Raises:
        SettingError: λ outside its range.
        RecipeError: the optimizer decays too, or there is no weight matrix.

    Example:
        >>> CautiousDecay(0.1)
        CautiousDecay(rate=0.1)

    References: Chen et al. (2025), arXiv:2510.12402, algorithm 1.

    """

    rate: float = 1e-2

    strengths: ClassVar[dict[str, Strength]] = {
        "rate": Strength(
            1e-2,
            low=1e-6,
            high=5.0,
            neutral=0.0,
            scale="log",
            unit="per learning rate",
            words="how fast weights fade that shrink anyway",
        )
    }
    family: ClassVar[str] = "weights"
    takes_complex: ClassVar[bool] = False
    rank: ClassVar[Rank] = Rank.DECAY
    effect: ClassVar[Effect] = {"rate": ("weight_size", "down")}
    cost: ClassVar[Cost] = Cost(copies=1)
    unique: ClassVar[bool] = True
    roles: ClassVar[tuple[str, ...]] = ("decays",)
    rules: ClassVar[tuple[Rule, ...]] = (Rule("decays", "refuse", "two decays would add up", "Keep one of them"),)
    citations: ClassVar[tuple[Citation, ...]] = (
        Citation("chen2025", "Chen et al.", 2025, "Cautious weight decay", "arXiv", "2510.12402"),
    )

    def check(self, context: Context, optimizer: Any) -> None:
        """Refuse a second decay, and a model without anything to decay."""
        no_torch_optimizer_decay(optimizer)
        require_matrices(context.model, "CautiousDecay")

    def plan(self, context: Context) -> tuple[str, ...]:
        """Return the names of the weights that are decayed."""
        return require_matrices(context.model, "CautiousDecay")

    def update(self, inner: Update, strengths: Strengths, memory: Memory) -> Update:
        """Step, then decay where the step went towards zero."""
        planned: tuple[str, ...] = memory.plan

        def step(params: Leaves, grads: Leaves, rate: Rate) -> Leaves:
            decayed = present(grads, planned)
            if not decayed or strengths.is_off("rate"):
                return inner(params, grads, rate)
            before = params.part(decayed).clone() if params.owned else params.part(decayed)
            shares = [eta * strengths.number("rate") for eta in rates(params, rate, decayed)]
            params = inner(params, grads, rate)
            with torch.no_grad():
                after = params.part(decayed)
                pairs = zip(before.tensors, after.tensors, strict=True)
                faded = after.like([agreeing(b, a, in_place=params.owned) for b, a in pairs], owned=params.owned)
                return params.add_(faded.mul_(shares), -1.0, only=decayed)

        return step


def agreeing(before: Tensor, after: Tensor, *, in_place: bool = False) -> Tensor:
    """Return the old weights where the step moved them towards zero (or not at all), elsewhere 0.

    Shapes: both alike, those of a weight, (…,).
    """
    if in_place:
        return before.mul_(torch.sub(before, after).mul_(before).ge_(0))
    return torch.where((before - after) * before >= 0, before, torch.zeros_like(before))
