"""The size of the weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from temperance.core.signal import Probe, Signal, signals


@signals.add
@dataclass(frozen=True)
class WeightNorm(Signal):
    """Measure ``weight_norm`` = sqrt(Σ w²) over all trained weights."""

    gives: ClassVar[tuple[str, ...]] = ("weight_norm",)
    when: ClassVar[Literal["step", "validate"]] = "step"
    price: ClassVar[str] = "one pass over the weights"

    def measure(self, probe: Probe) -> dict[str, float]:
        """Return the norm."""
        return {"weight_norm": float(probe.params.norm())}
