"""Averaging in place of a schedule of the learning rate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from temperance.control.base import require
from temperance.control.strength import Strength
from temperance.core.averaging import Average, zero
from temperance.core.leaves import Leaves
from temperance.core.regularizer import Context, Effect, Memory, Rate, Strengths, Update, techniques
from temperance.records.citation import Citation
from temperance.records.cost import Cost


@techniques.add
@dataclass(frozen=True, repr=False)
class ScheduleFree(Average):
    """Train between the optimizer's own weights and their running mean, serve the mean: no schedule is needed.

        z ← optimizer's step from z with the gradient at y;  x ← (1 − c)·x + c·z;  y ← (1 − β)·z + β·x
        c = w_t / Σ w,  w_t = t^r · (largest η so far)^p;  y is trained, x is served

    It works around any optimizer that takes one gradient: SGD without momentum, or AdamW with its first β at 0, give
    the published methods. Decoupled decay and projections act on z. Warm up by raising η over the first steps.

    Two stages, because y is made after the update and x is read when weights are served.

    Stage: update (average) and served.  Cost: two copies of the weights.
    Strengths: momentum β in [0, 0.999], neutral 0 (absent: x = y = z), linear, stronger = up.
    Shapes: any.  BatchNorm statistics are re-estimated by ``session.finish(batches=…)``.

    Use when: the length of the training is not known.  Avoid when: a schedule is in use (it decays twice), or the
    optimizer has momentum of its own.

    Args:
        momentum: β.
        power: r; 0 weighs all steps alike, larger values the later ones more.
        rate_power: p.

    Raises:
        SettingError: a setting outside its range.

    Example:
        >>> ScheduleFree(0.95)
        ScheduleFree(momentum=0.95)

    References: Defazio et al. (2024), arXiv:2405.15682, algorithm 1 and equation 23.

    """

    momentum: float = 0.9
    power: float = 0.0
    rate_power: float = 2.0
    strengths: ClassVar[dict[str, Strength]] = {
        "momentum": Strength(
            0.9, low=0.0, high=0.999, neutral=0.0, adaptive=False, words="how near to the mean gradients are taken"
        )
    }
    effect: ClassVar[Effect] = {"momentum": ("lag", "down")}
    cost: ClassVar[Cost] = Cost(copies=2)
    citations: ClassVar[tuple[Citation, ...]] = (
        Citation("defazio2024", "Defazio et al.", 2024, "The road less scheduled", "NeurIPS", "2405.15682"),
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        require("ScheduleFree", "power", self.power, 0.0, 100.0)
        require("ScheduleFree", "rate_power", self.rate_power, 0.0, 100.0)

    def begin(self, params: Leaves, context: Context) -> dict[str, Any]:
        """Start all three sequences at the weights."""
        counts = {name: zero(params, context) for name in ("count", "weights", "largest_rate")}
        return {"z": params.clone(), "mean": params.clone(), **counts}

    def update(self, inner: Update, strengths: Strengths, memory: Memory) -> Update:
        """Step from z, move the mean, and return the point between them."""

        def step(params: Leaves, grads: Leaves, rate: Rate) -> Leaves:
            off = strengths.is_off("momentum")
            if grads.names != params.names:
                return self._some(inner, params, grads, rate, strengths, memory)
            params = inner(params if off else params.copy_(memory["z"]), grads, rate)
            memory["z"] = memory["z"].copy_(params)
            c = self._share(memory, rate)
            if off:
                memory["mean"] = memory["mean"].copy_(memory["z"])
                return params
            near = strengths.number("momentum")
            memory["mean"] = memory["mean"].lerp_(memory["z"], c + (near == 0) * (1 - c))  # absent: x = z
            return params.lerp_(memory["mean"], near)

        return step

    def _some(
        self, inner: Update, params: Leaves, grads: Leaves, rate: Rate, strengths: Strengths, memory: Memory
    ) -> Leaves:
        """Do the same, in place, for the leaves that have a gradient: the others stand still in all three sequences."""
        near = 0.0 if strengths.is_off("momentum") else strengths.number("momentum")
        w, z, mean = (leaves.part(grads.names) for leaves in (params, memory["z"], memory["mean"]))
        if near:
            w.copy_(z)
        inner(params, grads, rate)
        z.copy_(w)
        c = self._share(memory, rate)
        mean.lerp_(z, c if near else 1.0)
        w.lerp_(mean, near)
        return params

    def _share(self, memory: Memory, rate: Rate) -> Any:
        """Return c of this step, and count it."""
        now, largest = max(rate) if isinstance(rate, list) else rate, memory["largest_rate"]
        if isinstance(largest, Tensor):
            largest = torch.maximum(largest, torch.as_tensor(now, dtype=largest.dtype, device=largest.device))
        else:
            largest = max(largest, float(now))
        memory["count"], memory["largest_rate"] = memory["count"] + 1, largest
        weight = memory["count"] ** self.power * largest**self.rate_power
        total = memory["weights"] = memory["weights"] + weight
        return weight / (total + (total == 0))
