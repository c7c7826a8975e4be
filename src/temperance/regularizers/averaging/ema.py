"""Exponential moving average of the weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from temperance.control.strength import Strength
from temperance.core.averaging import Average
from temperance.core.leaves import Leaves
from temperance.core.regularizer import Context, Effect, Memory, Rate, Strengths, Update, techniques
from temperance.records.citation import Citation
from temperance.records.cost import Cost


@techniques.add
@dataclass(frozen=True, repr=False)
class EMA(Average):
    """Evaluate and ship a moving average of the weights instead of the last ones.

        v ← d·v + (1 − d)·w after every step, v = w at first; v is served

    Two stages, because the average is made after the update and read when weights are served.

    Stage: update (average) and served.  Cost: one copy of the weights.
    Strengths: decay d in [0, 0.99999], neutral 0 (v = w), linear, stronger = up.
    Shapes: any.  BatchNorm statistics are re-estimated by ``session.finish(batches=…)``.
    Use when: nearly always with SGD or a constant rate.  Avoid when: fewer than about 3/(1 − d) steps are taken.

    Args:
        decay: d; the average looks back about 1/(1 − d) steps.

    Raises:
        SettingError: d outside its range.

    References: Polyak and Juditsky (1992), SIAM J. Control Optim. 30(4); Morales-Brotons et al. (2024),
    arXiv:2411.18704.

    """

    decay: float = 0.99

    strengths: ClassVar[dict[str, Strength]] = {
        "decay": Strength(
            0.99, low=0.0, high=0.99999, neutral=0.0, adaptive=False, words="how long the average remembers"
        )
    }
    effect: ClassVar[Effect] = {"decay": ("lag", "up")}
    cost: ClassVar[Cost] = Cost(copies=1)
    citations: ClassVar[tuple[Citation, ...]] = (
        Citation(
            "polyak1992",
            "Polyak, Juditsky",
            1992,
            "Acceleration of stochastic approximation by averaging",
            "SIAM J. Control Optim. 30(4)",
        ),
        Citation(
            "morales2024",
            "Morales-Brotons et al.",
            2024,
            "Exponential moving average of weights in deep learning",
            "TMLR",
            "2411.18704",
        ),
    )

    def begin(self, params: Leaves, context: Context) -> dict[str, Any]:
        """Start the average at the weights."""
        return {"mean": params.clone()}

    def update(self, inner: Update, strengths: Strengths, memory: Memory) -> Update:
        """Step, then move the average."""

        def step(params: Leaves, grads: Leaves, rate: Rate) -> Leaves:
            params = inner(params, grads, rate)
            memory["mean"] = memory["mean"].lerp_(params, 1 - strengths.number("decay"))
            return params

        return step
