"""Several controllers at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from temperance.control.base import Controller, Memory, Move, Specs, Values, controllers, inside, nested
from temperance.control.signal import Signals
from temperance.records.errors import SettingError


@controllers.add
@dataclass(frozen=True, repr=False)
class Chain(Controller):
    """Run controllers one after the other; each sees the strengths as the one before left them.

    ``stop`` and ``keep`` are set where any of them sets it.

    Attributes:
        parts: the controllers, in order.

    Example:
        >>> from temperance.control.constant import Constant
        >>> Chain((Constant(),))
        Chain(parts=(Constant(),))

    """

    parts: tuple[Controller, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "parts", tuple(self.parts))
        if not all(isinstance(part, Controller) for part in self.parts):
            raise SettingError(f"Chain got {self.parts!r}", "a tuple of controllers", "Give controllers only")

    @property
    def reads(self) -> frozenset[str]:
        return frozenset[str]().union(*(part.reads for part in self.parts))

    def rules(self) -> tuple[Controller, ...]:
        return tuple(rule for part in self.parts for rule in part.rules())

    def check(self, strengths: Values, specs: Specs, known: frozenset[str]) -> None:
        for part in self.parts:
            part.check(strengths, specs, known)

    def begin(self, strengths: Values, specs: Specs) -> Memory:
        memory: Memory = {}
        for place, part in enumerate(self.parts):
            memory.update(nested(str(place), part.begin(strengths, specs)))
            memory.update(nested(f"after/{place}", {a: np.array(v) for a, v in strengths.items()}))
        return {**memory, **self._flags(memory)}

    def move(self, strengths: Values, signals: Signals, memory: Memory, specs: Specs) -> tuple[Values, Memory]:
        kept: Memory = {}
        values = strengths
        for place, part in enumerate(self.parts):
            values, own = part.steer(values, signals, inside(str(place), memory), specs)
            kept.update({**nested(str(place), own), **nested(f"after/{place}", values)})
        return values, {**kept, **self._flags(kept)}

    def explain(self, before: Values, after: Values, signals: Signals, memory: Memory, specs: Specs) -> list[Move]:
        moves: list[Move] = []
        start = before
        for place, part in enumerate(self.parts):
            end = inside(f"after/{place}", memory)
            moves += part.explain(start, end, signals, inside(str(place), memory), specs)
            start = end
        return moves

    def _flags(self, memory: Memory) -> Memory:
        flags: Memory = {}
        for name in ("stop", "keep"):
            own = [memory[f"{place}/{name}"] for place in range(len(self.parts)) if f"{place}/{name}" in memory]
            if own:
                flags[name] = np.logical_or.reduce(own)
        for place in range(len(self.parts)):
            if f"{place}/source" in memory:
                flags["source"] = memory[f"{place}/source"]
        return flags
