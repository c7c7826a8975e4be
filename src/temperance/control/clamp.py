"""Narrow the range in which a controller may move strengths."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from temperance.control.base import Memory, Specs, Values, adaptive, controllers, require
from temperance.control.signal import Signals
from temperance.control.strength import Strength
from temperance.control.wrapper import Wrapper
from temperance.records.errors import SettingError


@controllers.add
@dataclass(frozen=True, repr=False)
class Clamp(Wrapper):
    """Keep every strength that ``inner`` moves within ``[low, high]``, in the strength's own unit.

    The inner rule is told the narrower range, so its state cannot run past the clamp. A value that is never moved
    stays where the user set it. Put ``Only`` inside or around it when strengths have different units.

    Attributes:
        inner: the rule.
        low: smallest value.
        high: largest value.

    Example:
        >>> from temperance.control.schedule import Linear
        >>> Clamp(Linear(), low=0.1, high=0.5)
        Clamp(inner=Linear(), low=0.1, high=0.5)

    """

    low: float = 0.0
    high: float = 1.0

    def __post_init__(self) -> None:
        require("Clamp", "low", self.low, -1e300, 1e300)
        if not self.low < self.high:
            raise SettingError(
                f"Clamp got low={self.low!r} and high={self.high!r}", "low must be below high", "Swap or widen them"
            )

    def begin(self, strengths: Values, specs: Specs) -> Memory:
        return super().begin(strengths, self._narrowed(strengths, specs))

    def move(self, strengths: Values, signals: Signals, memory: Memory, specs: Specs) -> tuple[Values, Memory]:
        values, kept = self.run(strengths, signals, memory, self._narrowed(strengths, specs))
        clipped = {a: np.where(v == strengths[a], v, np.clip(v, self.low, self.high)) for a, v in values.items()}
        return clipped, kept

    def _narrowed(self, strengths: Values, specs: Specs) -> Specs:
        return {**specs, **{a: self._narrow(a, specs[a]) for a in adaptive(strengths, specs)}}

    def _narrow(self, address: str, spec: Strength) -> Strength:
        low, high = max(self.low, spec.low), min(self.high, spec.high)
        if not low < high:
            raise SettingError(
                f"Clamp got {self.low:g} to {self.high:g} for {address}",
                f"{address} lies between {spec.low:g} and {spec.high:g}",
                "Choose a range inside it, or limit the clamp to other strengths with Only",
            )
        return replace(spec, low=low, high=high, default=float(np.clip(spec.default, low, high)))
