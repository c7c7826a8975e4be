"""Sharpness-aware minimization behind a gate with a budget."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any, ClassVar, Self

import torch
from torch import Tensor

from temperance.control.strength import Strength
from temperance.core.batch import Pass
from temperance.core.leaves import Leaves
from temperance.core.regularizer import Context, Effect, Gradient, Memory, Rank, Regularizer, Strengths, techniques
from temperance.core.rules import Rule
from temperance.records.citation import Citation
from temperance.records.cost import Cost
from temperance.records.errors import SettingError

_NORMAL = NormalDist()
_GAIN = 0.5  # how fast the gate makes up for steps that it opened too often; the error after T steps is under 8/T


@techniques.add
@dataclass(frozen=True, repr=False)
class GatedSAM(Regularizer):
    """Do SAM only on the steps whose gradient is large for its recent past, on a wanted share of all steps.

        s = ‖g‖²,  μ ← δ·μ + (1 − δ)·s,  v ← δ·v + (1 − δ)·(s − μ)²
        SAM step if s ≥ μ + (z(1 − f) + b)·√v, else plain step;  b ← b + (opened − f)/2

    z is the normal quantile; b makes the share come true where s is not normal. The paper moves the threshold from +1
    to −1 standard deviations instead (few second passes early, many late): let a schedule raise ``fraction``.

    Stage: gradient (ascend).  Cost: 1 + f passes a step (2 in a population, whose members step as one) and one
    temporary copy of the weights.
    Strengths: rho in [1e-4, 2], neutral 0, log, stronger = up; fraction f in [0, 1], neutral 0, linear, stronger = up.
    Shapes: any.
    Use when: SAM helps and there is a budget for it.  Avoid when: a step on a GPU is so short that one look at a
    number (the gate) counts.

    Args:
        rho: radius ρ.
        fraction: wanted share f of steps with a second pass.
        decay: memory δ of mean and variance.

    Raises:
        SettingError: ρ, f or δ outside its range.

    Example:
        >>> GatedSAM(fraction=0.25).cost.backwards
        1.25

    References: Jiang et al. (2023), arXiv:2304.14647 (AE-SAM), section 3.2, algorithm 1; the budget is ours.

    """

    rho: float = 0.05
    fraction: float = 0.5
    decay: float = 0.9

    strengths: ClassVar[dict[str, Strength]] = {
        "rho": Strength(
            0.05, low=1e-4, high=2.0, neutral=0.0, scale="log", words="how far uphill the gradient is taken"
        ),
        "fraction": Strength(
            0.5, low=0.0, high=1.0, neutral=0.0, adaptive=False, words="share of steps with a second pass"
        ),
    }
    family: ClassVar[str] = "flatness"
    rank: ClassVar[Rank] = Rank.ASCEND
    effect: ClassVar[Effect] = {"rho": ("departure", "up"), "fraction": ("passes", "up")}
    cost: ClassVar[Cost] = Cost(forwards=1.5, backwards=1.5, copies=1, note="1 + fraction on average")
    unique: ClassVar[bool] = True
    roles: ClassVar[tuple[str, ...]] = ("ascends",)
    rules: ClassVar[tuple[Rule, ...]] = (
        Rule("ascends", "refuse", "two techniques would move the weights uphill", "Keep one of them"),
    )
    citations: ClassVar[tuple[Citation, ...]] = (
        Citation(
            "jiang2023", "Jiang et al.", 2023, "An adaptive policy to employ sharpness-aware minimization", "ICLR",
            "2304.14647", "section 3.2",
        ),
    )  # fmt: skip

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.decay <= 0.9999:
            raise SettingError(
                f"GatedSAM got decay={self.decay!r}", "decay lies between 0 and 0.9999", "0.9 is the default"
            )
        passes = 1 + self.fraction
        cost = Cost(forwards=passes, backwards=passes, copies=1, note="1 + fraction on average")
        object.__setattr__(self, "cost", cost)  # the class attribute is that of the default fraction

    @classmethod
    def samples(cls) -> Iterable[Self]:
        """Return one whose count of passes is sure, so that the suite can check it."""
        return (cls(fraction=1.0),)

    def begin(self, params: Leaves, context: Context) -> dict[str, Any]:
        """Return mean, variance, correction b and the counts of steps and of open gates: numbers in solo."""
        names = ("mean", "variance", "lift", "steps", "opened")
        if params.owned:
            return dict.fromkeys(names, 0.0)
        zero = params.tensors[0].detach().new_zeros(())
        return {name: zero.clone() for name in names}

    def gradient(self, inner: Gradient, strengths: Strengths, memory: Memory) -> Gradient:
        """Evaluate the gradient once, and a second time where the gate opens."""

        def gated(params: Leaves, buffers: Mapping[str, Tensor], batch: Any, key: Any) -> tuple[Leaves, Pass]:
            grads, first = inner(params, buffers, batch, key)
            if strengths.is_off("rho") or strengths.is_off("fraction"):
                return grads, first
            size = grads.norm()
            reach: Tensor = strengths["rho"] / (size + 1e-12)
            if strengths.mirror is not None:  # the gate needs a look at a number anyway, so it works on numbers
                opened, news = gate_of_numbers(float(size) ** 2, memory, strengths.mirror["fraction"], self.decay)
                first = first.remember(strengths.address, **news)
                if not opened:
                    return grads, first
            else:
                wide, kept = gate(size**2, memory, strengths["fraction"].to(size.dtype), self.decay)
                first, reach = first.remember(strengths.address, **kept), reach * wide
            moved = params.part(grads.names).add(grads, reach)
            if moved.names != params.names:
                moved = Leaves.of({**params, **moved})
            del grads
            steep, _ = inner(moved, first.buffers, batch, key)
            return steep, first

        return gated


def gate(
    score: Tensor, memory: Mapping[str, Tensor], fraction: Tensor, decay: float
) -> tuple[Tensor, dict[str, Tensor]]:
    """Return whether this step is one of the wanted share, (), and the new memory."""
    known = memory["steps"] > 0
    mean = torch.where(known, decay * memory["mean"] + (1 - decay) * score, score)
    variance = decay * memory["variance"] + (1 - decay) * (score - mean) ** 2
    quantile = math.sqrt(2) * torch.erfinv(1 - 2 * fraction)
    above = score >= mean + (quantile + memory["lift"]) * variance.sqrt()
    opened = (fraction > 0) & (above | (fraction >= 1))
    count = opened.to(score.dtype)
    lift = memory["lift"] + _GAIN * (count - fraction)
    news = {
        "mean": mean, "variance": variance, "lift": lift, "steps": memory["steps"] + 1,
        "opened": memory["opened"] + count,
    }  # fmt: skip
    return opened, news


def gate_of_numbers(
    score: float, memory: Mapping[str, float], fraction: float, decay: float
) -> tuple[bool, dict[str, float]]:
    """Do what ``gate`` does, with numbers."""
    mean = decay * memory["mean"] + (1 - decay) * score if memory["steps"] else score
    variance = decay * memory["variance"] + (1 - decay) * (score - mean) ** 2
    opened = fraction >= 1
    if 0 < fraction < 1:
        opened = score >= mean + (_NORMAL.inv_cdf(1 - fraction) + memory["lift"]) * math.sqrt(variance)
    lift = memory["lift"] + _GAIN * (opened - fraction)
    news = {
        "mean": mean, "variance": variance, "lift": lift, "steps": memory["steps"] + 1,
        "opened": memory["opened"] + opened,
    }  # fmt: skip
    return opened, news
