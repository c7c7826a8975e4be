"""TRADES."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import torch
from torch import Tensor, nn

from temperance.control.strength import Strength
from temperance.core.batch import ANSWERS_ONLY, Batch, Pass, mean, plus
from temperance.core.kit.attacks import (
    Attack,
    Attacking,
    Bound,
    Box,
    divergence,
    divergence_at,
    noise_so_far,
    same_noise,
    search_mode,
    straight_through,
    within,
)
from temperance.core.kit.classes import class_logits, log_softmax
from temperance.core.kit.inputs import movable
from temperance.core.leaves import Leaves
from temperance.core.random import fold, normal
from temperance.core.regularizer import (
    Context,
    Effect,
    Memory,
    Objective,
    Strengths,
    techniques,
)
from temperance.core.statistics import tracking, unchanged
from temperance.records.citation import Citation
from temperance.records.cost import Cost


@techniques.add
@dataclass(frozen=True, repr=False)
class TRADES(Attacking):
    """Train on clean rows, and ask for the same answer at the nearby inputs that change it most.

        loss = l(x) + β · mean over examples of KL(p(x) ‖ p(x')),  p = softmax(outputs)
        x' starts at x + 0.001·N(0, 1);  x' ← Π(x' + stride·ε·sign ∇KL(p(x) ‖ p(x'))),  within ε of x, inside the box

    β sets how much accuracy on clean rows is given for steadiness. The search runs in evaluation mode; both passes of
    the loss see the same noise, and running statistics are those of the clean rows.

    Stage: objective (attack).  Cost: k + 3 forward passes (clean twice: in training and in evaluation mode), k + 1
    backward passes.
    Strengths: beta in [0, 20], neutral 0, linear; eps in [1e-4, 1], neutral 0, log; stronger = up.
    Shapes: floating inputs (b, …) → same, integer inputs stay; tables (b, f) and images (b, c, h, w) can have bounds;
    tokens alone: their vectors (b, …, d) are moved, behind the input embedding, and ε is in their units.
    Outputs (b, …, c) logits.
    Use when: as ``PGDTraining``, and clean rows matter too.  Avoid when: regression; time is short.

    Args:
        beta: weight β of the disagreement (the paper tries 1 and 6).
        eps: how far each value may move, in the units of the inputs.
        steps: number of steps k.
        stride: length of a step as a share of ε.
        low: smallest value that an input can have, one number or one per column (images: per channel).
        high: largest value, likewise.
        fixed: columns (images: channels) that nobody can change.

    Raises:
        SettingError: a setting outside its range.
        RecipeError: nothing that can be moved; outputs that are no logits; bounds for another number of columns.

    Example:
        >>> TRADES(beta=6.0, steps=5).cost.forwards
        8

    References: Zhang et al. (2019), arXiv:1901.08573, section 3.3 and algorithm 1.

    """

    beta: float = 6.0
    eps: float = 8 / 255
    steps: int = 10
    stride: float = 0.25
    low: Bound = None
    high: Bound = None
    fixed: tuple[int, ...] = ()

    strengths: ClassVar[dict[str, Strength]] = {
        "beta": Strength(6.0, low=0.0, high=20.0, neutral=0.0, words="how much steady answers count"),
        "eps": Strength(
            8 / 255, low=1e-4, high=1.0, neutral=0.0, scale="log", words="how far each input value may be moved"
        ),
    }
    cost: ClassVar[Cost] = Cost(forwards=13, backwards=11, note="steps + 3 and steps + 1")
    effect: ClassVar[Effect] = {"beta": ("departure", "up"), "eps": ("departure", "up")}
    citations: ClassVar[tuple[Citation, ...]] = (
        Citation(
            "zhang2019", "Zhang et al.", 2019, "Theoretically principled trade-off between robustness and accuracy",
            "ICML", "1901.08573", "section 3.3",
        ),
    )  # fmt: skip

    def __post_init__(self) -> None:
        super().__post_init__()
        _ = self.attack  # checks its settings
        cost = Cost(forwards=self.steps + 3, backwards=self.steps + 1, note="steps + 3 and steps + 1")
        object.__setattr__(self, "cost", cost)

    @classmethod
    def samples(cls) -> Iterable[Self]:
        """Return a short search."""
        return (cls(steps=2),)

    @property
    def attack(self) -> Attack:
        """The search."""
        return Attack(Box("TRADES", self.low, self.high, self.fixed), self.steps, self.stride)

    def plan(self, context: Context) -> tuple[nn.Module, tuple[nn.Module, ...]]:
        """Return the model, whose mode is changed for the search, and its layers with running statistics."""
        return context.model, tracking(context.model)

    def objective(self, inner: Objective, strengths: Strengths, memory: Memory) -> Objective:
        """Add the disagreement; where no slopes are wanted (a teacher answers) the batch stays as it is."""
        address, attack = strengths.address, self.attack

        def worst(params: Leaves, buffers: Any, batch: Batch, key: Any) -> Batch:
            batch = movable(batch, "TRADES")
            near = attack.near(batch, strengths)
            noise = [normal(fold(key, "start", i), x.shape, x.device).to(x.dtype) for i, x in enumerate(near.xs)]
            begin = within([torch.add(x, z, alpha=0.001) for x, z in zip(near.xs, noise, strict=True)], near.limits)
            with search_mode(memory.plan[0], key):
                found = attack.climb(divergence_at(inner, params, buffers, batch, key, "TRADES"), begin, near)
            return batch._replace(inputs=straight_through(batch.inputs, found), targets=ANSWERS_ONLY)

        def steady(params: Leaves, buffers: Mapping[str, Tensor], batch: Batch, key: Any) -> Pass:
            if strengths.is_off("beta") or strengths.is_off("eps") or not torch.is_grad_enabled():
                return inner(params, buffers, batch, key)
            moved = worst(params, buffers, batch, fold(key, address))  # first: nothing else is in memory yet
            noise = noise_so_far()
            clean = inner(params, buffers, batch, key)
            with same_noise(noise), unchanged(memory.plan[1]):
                there = inner(params, clean.buffers, moved, key)
            seen: Batch = clean.batch or batch
            logs = (log_softmax(class_logits(p.outputs, "TRADES", batch=seen)) for p in (clean, there))
            apart = mean(divergence(*logs), seen)
            loss = plus(clean.loss, apart, strengths.number("beta"))
            return clean._replace(loss=loss, notes={**clean.notes, f"{address}.disagreement": apart.detach()})

        return steady
