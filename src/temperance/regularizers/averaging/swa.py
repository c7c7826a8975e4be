"""Stochastic weight averaging."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from temperance.control.strength import Strength
from temperance.core.averaging import Average, zero
from temperance.core.leaves import Leaves
from temperance.core.regularizer import Context, Effect, Memory, Rate, Strengths, Update, techniques
from temperance.records.citation import Citation
from temperance.records.cost import Cost
from temperance.records.errors import RecipeError


@techniques.add
@dataclass(frozen=True, repr=False)
class SWA(Average):
    """Evaluate and ship the plain mean of the weights of the last part of training.

        from step s·T on, every ``every`` steps: v ← v + (w − v)/(n + 1);  before that v = w

    Two stages, because the mean is made after the update and read when weights are served.

    Stage: update (average) and served.  Cost: one copy of the weights.
    Strengths: tail in [0, 1], the share of training that is averaged (1 − s), neutral 0, linear, stronger = up.
    Shapes: any.  BatchNorm statistics are re-estimated by ``session.finish(batches=…)``.
    Use when: the learning rate stays high at the end.  Avoid when: the rate is annealed to zero.

    Args:
        tail: share of the training, at its end, that is averaged.
        every: steps between two averaged weights; None: once an epoch.

    Raises:
        SettingError: tail outside its range.
        RecipeError: the length of the training is not known.

    References: Izmailov et al. (2018), arXiv:1803.05407, algorithm 1.

    """

    tail: float = 0.25
    every: int | None = None

    strengths: ClassVar[dict[str, Strength]] = {
        "tail": Strength(
            0.25, low=0.0, high=1.0, neutral=0.0, adaptive=False, words="share of the training that is averaged"
        )
    }
    effect: ClassVar[Effect] = {"tail": ("lag", "up")}
    cost: ClassVar[Cost] = Cost(copies=1)
    citations: ClassVar[tuple[Citation, ...]] = (
        Citation(
            "izmailov2018",
            "Izmailov et al.",
            2018,
            "Averaging weights leads to wider optima and better generalization",
            "UAI",
            "1803.05407",
        ),
    )

    @classmethod
    def samples(cls) -> tuple[SWA, ...]:
        """Return one that averages within the few steps of the suite."""
        return (cls(tail=0.5, every=1),)

    def plan(self, context: Context) -> tuple[int, int]:
        """Return (steps of the training, steps between two averaged weights).

        Raises:
            RecipeError: the length of the training is not known.

        """
        if not context.steps:
            raise RecipeError(
                "SWA averages the last part of training, but its length is not known",
                "it needs epochs and steps_per_epoch",
                "Pass epochs=… and steps_per_epoch=len(loader) to attach",
            )
        return context.steps, self.every or context.steps_per_epoch or 1

    def begin(self, params: Leaves, context: Context) -> dict[str, Any]:
        """Start with the weights, none averaged, no step done."""
        return {"mean": params.clone(), "count": zero(params, context), "step": zero(params, context)}

    def update(self, inner: Update, strengths: Strengths, memory: Memory) -> Update:
        """Step, then take the weights into the mean where it is time."""
        total, every = memory.plan

        def step(params: Leaves, grads: Leaves, rate: Rate) -> Leaves:
            params = inner(params, grads, rate)
            memory["step"] = memory["step"] + 1
            started = memory["step"] > total * (1 - strengths.number("tail"))
            due = started & (memory["step"] % every == 0)
            count = memory["count"] = memory["count"] + due
            share = due / (count + (count == 0))
            memory["mean"] = memory["mean"].lerp_(params, started * (share - 1) + 1)  # before it has started: 1
            return params

        return step

    def served(self, params: Leaves, memory: Memory) -> Leaves:
        """Return the mean; the trained weights before it has begun."""
        return super().served(params, memory) if float(memory["count"]) else params

    def unbegun(self, memory: Mapping[str, Any]) -> tuple[str, ...]:
        """Say that the training ended before its last part."""
        if float(memory["count"]):
            return ()
        return (
            f"SWA averaged nothing: the training ended after {int(memory['step'])} steps, before its last "
            f"{100 * self.tail:g} %. The trained weights ship.",
        )
