"""The learning rate over its maximum."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from temperance.core.signal import Probe, Signal, signals


@signals.add
@dataclass(frozen=True)
class LearningRate(Signal):
    """Read the optimizer: ``lr`` = largest learning rate of its groups now / the largest one planned or seen."""

    gives: ClassVar[tuple[str, ...]] = ("lr",)
    when: ClassVar[Literal["step", "validate"]] = "step"

    def measure(self, probe: Probe) -> dict[str, float]:
        """Return the ratio, in [0, 1]."""
        return {"lr": probe.lr_ratio}
