"""Whether the held-out loss still falls."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from temperance.control.base import require
from temperance.core.signal import Probe, Signal, signals


@signals.add
@dataclass(frozen=True)
class Plateau(Signal):
    """Count the readings since the held-out loss was last clearly better, and follow its slope.

        plateau = readings since  loss < best·(1 − tolerance)
        plateau_slope = m_t − m_{t−1},  m_t = decay·m_{t−1} + (1 − decay)·loss_t,  m_0 = loss_0

    Args:
        tolerance: relative improvement that counts.
        decay: how long the smoothed loss looks back.

    A falling learning rate looks like the end of a plateau. Source: techniques survey, S3; textbook.

    """

    tolerance: float = 1e-3
    decay: float = 0.7

    gives: ClassVar[tuple[str, ...]] = ("plateau", "plateau_slope")
    needs: ClassVar[tuple[str, ...]] = ("valid_loss",)
    price: ClassVar[str] = "free beside the held-out loss, which it shares with the gap"
    needs_valid: ClassVar[bool] = False

    def __post_init__(self) -> None:
        require("Plateau", "tolerance", self.tolerance, 0.0, 1.0)
        require("Plateau", "decay", self.decay, 0.0, 0.999)

    def measure(self, probe: Probe) -> dict[str, float]:
        """Return the count and the slope; NaN where the loss is not known."""
        loss, memory = probe.known.get("valid_loss", math.nan), probe.memory
        if not math.isfinite(loss):
            return {"plateau": math.nan, "plateau_slope": math.nan}
        best, smooth = memory.get("best", math.inf), memory.get("smooth", loss)
        better = math.isinf(best) or loss < best - self.tolerance * abs(best)
        memory["best"] = loss if better else best
        memory["count"] = 0 if better else memory["count"] + 1
        memory["smooth"] = self.decay * smooth + (1 - self.decay) * loss
        return {"plateau": float(memory["count"]), "plateau_slope": memory["smooth"] - smooth}
