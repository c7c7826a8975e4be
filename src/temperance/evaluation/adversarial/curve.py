"""Accuracy under attack against the budget: the whole curve, not one point of it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from temperance.evaluation.adversarial.ball import BALLS
from temperance.evaluation.adversarial.tiers import Attacked, Tier, attack, is_random, smallest
from temperance.evaluation.adversarial.victim import Victim
from temperance.records.errors import SettingError, nearest


@dataclass(frozen=True, eq=False)
class Curve:
    """What each budget does.

    Attributes:
        norm: name of the distance.
        attacked: one result per budget, the smallest first.
        length: (b,) length of the smallest change found for a row; 0: wrong before, infinite: none was found.
        left_out: pairs (what, why).

    """

    norm: str
    attacked: tuple[Attacked, ...]
    length: Tensor = field(repr=False)
    left_out: tuple[tuple[str, str], ...] = ()

    @property
    def budgets(self) -> tuple[float, ...]:
        """The budgets, the smallest first."""
        return tuple(one.eps for one in self.attacked)

    @property
    def median(self) -> float | None:
        """Median length of the smallest change among rows that were right, or None where half of them survived."""
        right = self.length[self.length > 0]
        middle = float(right.sort().values[(len(right) - 1) // 2]) if len(right) else float("inf")
        return middle if middle < float("inf") else None

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-safe fields."""
        return {
            "norm": self.norm,
            "budgets": [one.to_dict() for one in self.attacked],
            "median_smallest_change": self.median,
            "left_out": [{"what": what, "why": why} for what, why in self.left_out],
        }


def curve(
    victim: Victim,
    x: Tensor,
    y: Tensor,
    budgets: Sequence[float],
    *,
    norm: str = "Linf",
    tier: Tier = "standard",
    seed: int = 0,
    deadline: float | None = None,
) -> Curve:
    """Attack with each budget, from the smallest up; what broke a row with less breaks it with more.

    So the curve never rises by construction; whether the attack itself gains from more budget is a sign of ``masking``.
    Shapes: x (b, …), y (b,).

    Args:
        victim: the model.
        x: clean points.
        y: true classes.
        budgets: in the units of the points.
        norm: ``Linf`` or ``L2``.
        tier: how hard to try.
        seed: of everything random.
        deadline: ``time.perf_counter()`` after which no budget is begun but the first.

    Raises:
        SettingError: no budgets, or another norm.

    """
    if not budgets:
        raise SettingError("no budgets", "at least one distance", "Give five or more for a curve")
    if norm not in BALLS:
        raise SettingError(f"there is no norm {norm!r}", f"known are {', '.join(BALLS)}", nearest(norm, BALLS))
    random = is_random(victim, x)
    done: list[Attacked] = []
    left: list[tuple[str, str]] = []
    lengths = torch.full((len(x),), float("inf"))
    right: Tensor | None = None
    for eps in sorted(set(budgets)):
        if done and deadline is not None and time.perf_counter() > deadline:
            left.append((f"attacks within {eps:g}", "no time left"))
            continue
        found = attack(victim, x, y, BALLS[norm](eps), tier=tier, seed=seed, right=right, random=random)
        if not done:
            first = found.right
            lengths[~first] = 0.0
        broken = found.right & ~found.survived
        if broken.any():
            lengths[broken] = smallest(victim, x, found, y)[broken]
        done.append(Attacked(norm, eps, tier, first, found.survived, found.points, found.attacks, random))
        right = found.survived
    return Curve(norm, tuple(done), lengths, tuple(left))
