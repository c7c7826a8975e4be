"""How far the training is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from temperance.core.signal import Probe, Signal, signals


@signals.add
@dataclass(frozen=True)
class Progress(Signal):
    """Count: ``progress`` = steps done / steps planned (NaN where the plan is unknown), ``epoch``, ``step``."""

    gives: ClassVar[tuple[str, ...]] = ("progress", "epoch", "step")
    when: ClassVar[Literal["step", "validate"]] = "step"

    def measure(self, probe: Probe) -> dict[str, float]:
        """Return the three counts."""
        return {"progress": probe.progress, "epoch": probe.epoch, "step": float(probe.step)}
