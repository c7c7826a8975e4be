"""Adversarial training by projected gradient steps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import torch
from torch import Tensor

from temperance.control.strength import Strength
from temperance.core.batch import Batch, Pass
from temperance.core.kit.attacks import Attack, Attacking, Bound, Box, loss_at, search_mode, starts, straight_through
from temperance.core.kit.inputs import movable
from temperance.core.leaves import Leaves
from temperance.core.random import fold
from temperance.core.regularizer import Effect, Memory, Objective, Strengths, techniques
from temperance.records.citation import Citation
from temperance.records.cost import Cost


@techniques.add
@dataclass(frozen=True, repr=False)
class PGDTraining(Attacking):
    """Train on the worst inputs that a few steps can find near each row.

        x⁰ = x + U(−ε, ε);  xⁱ⁺¹ = Π(xⁱ + stride·ε·sign ∇ₓl(xⁱ)),  Π: within ε of x and inside the box;  loss = l(xᵏ)

    The search runs in evaluation mode, so running statistics see only the last pass. The rows are attacked as the model
    takes them: after augmentation and mixing.

    Stage: objective (attack).  Cost: k + 1 forward and backward passes.
    Strengths: eps in [1e-4, 1], neutral 0, log, stronger = up.
    Shapes: floating inputs (b, …) → same, integer inputs stay; tables (b, f) and images (b, c, h, w) can have bounds;
    tokens alone: their vectors (b, …, d) are moved, behind the input embedding, and ε is in their units.
    Use when: somebody may change inputs on purpose, or small changes must not matter.  Avoid when: only clean
    rows count (accuracy on them falls); time is short.

    Args:
        eps: how far each value may move, in the units of the inputs.
        steps: number of steps k.
        stride: length of a step as a share of ε.
        low: smallest value that an input can have, one number or one per column (images: per channel).
        high: largest value, likewise.
        fixed: columns (images: channels) that nobody can change.

    Raises:
        SettingError: a setting outside its range.
        RecipeError: nothing that can be moved; bounds for another number of columns.

    Example:
        >>> PGDTraining(8 / 255, steps=10, low=0.0, high=1.0).cost.backwards
        11

    References: Madry et al. (2018), arXiv:1706.06083, sections 2 and 3.

    """

    eps: float = 8 / 255
    steps: int = 7
    stride: float = 0.25
    low: Bound = None
    high: Bound = None
    fixed: tuple[int, ...] = ()

    strengths: ClassVar[dict[str, Strength]] = {
        "eps": Strength(
            8 / 255, low=1e-4, high=1.0, neutral=0.0, scale="log", words="how far each input value may be moved"
        ),
    }
    cost: ClassVar[Cost] = Cost(forwards=8, backwards=8, note="steps + 1")
    effect: ClassVar[Effect] = {"eps": ("departure", "up")}
    citations: ClassVar[tuple[Citation, ...]] = (
        Citation(
            "madry2018", "Madry et al.", 2018, "Towards deep learning models resistant to adversarial attacks", "ICLR",
            "1706.06083", "section 2",
        ),
    )  # fmt: skip

    def __post_init__(self) -> None:
        super().__post_init__()
        _ = self.attack  # checks its settings
        object.__setattr__(self, "cost", Cost(forwards=self.steps + 1, backwards=self.steps + 1, note="steps + 1"))

    @classmethod
    def samples(cls) -> Iterable[Self]:
        """Return a short search, and one in a box."""
        return (cls(steps=2), cls(steps=1, low=-1.0, high=1.0))

    @property
    def attack(self) -> Attack:
        """The search."""
        return Attack(Box("PGDTraining", self.low, self.high, self.fixed), self.steps, self.stride)

    def objective(self, inner: Objective, strengths: Strengths, memory: Memory) -> Objective:
        """Attack the batch, then train on it; where no slopes are wanted (a teacher answers) it stays as it is."""
        attack = self.attack

        def attacked(params: Leaves, buffers: Mapping[str, Tensor], batch: Batch, key: Any) -> Pass:
            if strengths.is_off("eps") or not torch.is_grad_enabled():
                return inner(params, buffers, batch, key)
            batch = movable(batch, "PGDTraining")
            near, own = attack.near(batch, strengths), fold(key, strengths.address)
            with search_mode(memory.plan, own):
                found = attack.climb(loss_at(inner, params, buffers, batch, own), starts(near, own), near)
            return inner(params, buffers, batch._replace(inputs=straight_through(batch.inputs, found)), key)

        return attacked
