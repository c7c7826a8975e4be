"""Slow a controller down."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from temperance.control.base import Memory, Specs, Values, controllers, inside, nested, require
from temperance.control.pressure import limited
from temperance.control.signal import Signals, read
from temperance.control.wrapper import Wrapper, held, measured


@controllers.add
@dataclass(frozen=True, repr=False)
class RateLimit(Wrapper):
    """Move each strength at most ``rate`` of its scale per epoch towards where ``inner`` wants it.

    The inner rule lives in its own world: it sees the values it asked for. Feedback rules have a ``rate`` of their
    own, which is better for them, as their state then moves with the strength.

    Attributes:
        inner: the rule.
        rate: largest change per epoch, as a share of the way from neutral to strongest; 0 freezes.

    Example:
        >>> from temperance.control.schedule import Late
        >>> RateLimit(Late(), 0.05)
        RateLimit(inner=Late(), rate=0.05)

    """

    rate: float = 0.1

    def __post_init__(self) -> None:
        require("RateLimit", "rate", self.rate, 0.0, 1.0)

    @property
    def reads(self) -> frozenset[str]:
        return self.inner.reads | {"epoch"}

    def begin(self, strengths: Values, specs: Specs) -> Memory:
        memory = {**super().begin(strengths, specs), **nested("wanted", {a: v.copy() for a, v in strengths.items()})}
        for address, value in strengths.items():
            place: Memory = {"base": specs[address].to_pressure(value), "base_epoch": np.full(value.shape, np.nan)}
            place["touched"] = np.zeros(value.shape, dtype=bool)
            memory.update(nested(f"place/{address}", place))
        return memory

    def move(self, strengths: Values, signals: Signals, memory: Memory, specs: Specs) -> tuple[Values, Memory]:
        if not measured(self.inner, signals):
            return {}, held(memory)
        wanted, kept = self.run(inside("wanted", memory), signals, memory, specs)
        values: Values = {}
        for address, goal in wanted.items():
            spec, now = specs[address], strengths[address]
            here, there = spec.to_pressure(now), spec.to_pressure(goal)
            place = inside(f"place/{address}", memory)
            slow, base = limited(there, here, place, read(signals, "epoch", now.shape), self.rate)
            touched = place["touched"] | (goal != memory[f"wanted/{address}"])
            moved = np.where(slow == there, goal, np.where(slow == here, now, spec.from_pressure(slow)))
            values[address] = np.where(touched, moved, now)
            kept.update(nested(f"place/{address}", {**base, "touched": touched}))
        return values, {**kept, **nested("wanted", wanted)}
