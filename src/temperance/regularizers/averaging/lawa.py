"""Average of the latest checkpoints."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from temperance.control.base import require
from temperance.control.strength import Strength
from temperance.core.averaging import Average, zero
from temperance.core.devices import widened
from temperance.core.leaves import Leaves
from temperance.core.regularizer import Context, Effect, Memory, Rate, Strengths, Update, techniques
from temperance.records.citation import Citation
from temperance.records.cost import Cost


@techniques.add
@dataclass(frozen=True, repr=False)
class LAWA(Average):
    """Evaluate and ship the plain mean of the k latest checkpoints (latest weight averaging).

        every ``every`` steps a copy of w is kept, the k latest stay;  v = (1 − s)·w + s·mean of the copies

    Before the first copy v = w. Two stages, because copies are made after the update and the mean when weights are
    served.

    Stage: update (average) and served.  Cost: k copies of the weights.
    Strengths: share s in [0, 1] of the mean in what is served, neutral 0, linear, stronger = up.
    Shapes: any.  BatchNorm statistics are re-estimated by ``session.finish(batches=…)``.

    Use when: long trainings whose middle is to be read early; the rate is not annealed.  Avoid when: memory for k
    copies is short (then ``EMA``).

    Args:
        share: s.
        window: k; about 1 % of the training in all is a good span.
        every: steps between two copies; None: once an epoch (once a step where that is unknown).

    Raises:
        SettingError: a setting outside its range.

    Example:
        >>> LAWA(window=4)
        LAWA(window=4)

    References: Kaddour (2022), arXiv:2209.14981, section 3; the span: Ajroldi et al. (2025), arXiv:2502.06761.

    """

    share: float = 1.0
    window: int = 6
    every: int | None = None
    strengths: ClassVar[dict[str, Strength]] = {
        "share": Strength(1.0, low=0.0, high=1.0, neutral=0.0, adaptive=False, words="share of the mean in the result")
    }
    effect: ClassVar[Effect] = {"share": ("lag", "up")}
    cost: ClassVar[Cost] = Cost(copies=6, note="as many copies as the window is long")
    citations: ClassVar[tuple[Citation, ...]] = (
        Citation(
            "kaddour2022",
            "Kaddour",
            2022,
            "Stop wasting my time! Saving days of ImageNet and BERT training with latest weight averaging",
            "NeurIPS workshop HITY",
            "2209.14981",
        ),
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        require("LAWA", "window", self.window, 1, 1000, whole=True)
        if self.every is not None:
            require("LAWA", "every", self.every, 1, 1_000_000_000, whole=True)

    @classmethod
    def samples(cls) -> tuple[LAWA, ...]:
        """Return one whose window fills and turns over within the few steps of the suite."""
        return (cls(window=2, every=2),)

    def plan(self, context: Context) -> int:
        """Return the steps between two copies."""
        return self.every or context.steps_per_epoch or 1

    def begin(self, params: Leaves, context: Context) -> dict[str, Any]:
        """Start with empty places for the copies."""
        places = {f"copy_{j}": params.clone() for j in range(self.window)}
        return {**places, **{name: zero(params, context) for name in ("step", "count", "share")}}

    def update(self, inner: Update, strengths: Strengths, memory: Memory) -> Update:
        """Step, then keep a copy where it is time, in place of the oldest."""
        every, window = memory.plan, self.window

        def step(params: Leaves, grads: Leaves, rate: Rate) -> Leaves:
            params = inner(params, grads, rate)
            memory["step"], memory["share"] = memory["step"] + 1, strengths.number("share") + 0.0
            due, place = memory["step"] % every == 0, memory["count"] % window
            memory["count"] = memory["count"] + due
            if strengths.mirror is None:
                for j in range(window):
                    memory[f"copy_{j}"] = memory[f"copy_{j}"].lerp_(params, widened(due & (place == j)))
            elif due:
                memory[f"copy_{int(place)}"] = memory[f"copy_{int(place)}"].copy_(params)
            return params

        return step

    def served(self, params: Leaves, memory: Memory) -> Leaves:
        """Return the mean of the copies, mixed with the last weights by the share."""
        count, share = min(int(memory["count"]), self.window), float(memory["share"])
        if count == 0 or share == 0:
            return params
        mean: Leaves = memory["copy_0"].clone(owned=True)
        for j in range(1, count):  # so that equal copies give exactly themselves: what stood still is served as it is
            mean = mean.lerp_(memory[f"copy_{j}"], 1 / (j + 1))
        return mean if share == 1 else params.detach().lerp(mean, share)

    def unbegun(self, memory: Mapping[str, Any]) -> tuple[str, ...]:
        """Say that there is no copy to average."""
        if float(memory["count"]):
            return ()
        return (f"LAWA kept no copy: the training ended after {int(memory['step'])} steps. The trained weights ship.",)
