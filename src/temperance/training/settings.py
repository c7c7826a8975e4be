"""How a net is trained: epochs, batches, learning rate."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any, Literal

from temperance.records.errors import SettingError
from temperance.records.restore import Restored

Curve = Literal["flat_cos", "cosine", "constant"]
CURVES: tuple[Curve, ...] = ("flat_cos", "cosine", "constant")


@dataclass(frozen=True)
class TrainSettings(Restored):
    """Settings of one training; part of what makes a trial reproducible.

    Attributes:
        epochs: passes over the training rows; may be a fraction for very large data.
        batch_size: rows per step.
        lr: largest learning rate of AdamW.
        curve: ``flat_cos`` (flat for the first half, then half a cosine to 0), ``cosine`` or ``constant``.
        warmup: share of the training over which the rate rises from 0.
        beta2: second moment's memory.

    """

    epochs: float = 30.0
    batch_size: int = 256
    lr: float = 1e-3
    curve: Curve = "flat_cos"
    warmup: float = 0.0
    beta2: float = 0.99

    def __post_init__(self) -> None:
        if not (self.epochs > 0 and self.batch_size > 0 and self.lr > 0 and 0 <= self.warmup < 1):
            raise SettingError(
                f"training got {self!r}",
                "epochs, batch_size and lr above 0, warmup in [0, 1)",
                "Leave them at their defaults",
            )
        if self.curve not in CURVES:
            raise SettingError(f"training got curve={self.curve!r}", f"known are {', '.join(CURVES)}", "Pick one")

    def steps_per_epoch(self, rows: int) -> int:
        """Return optimizer steps per pass; the last batch may be smaller (but not 1 row: it joins the one before)."""
        return max(1, math.ceil((rows - 1) / self.batch_size)) if rows > 1 else 1

    def steps(self, rows: int) -> int:
        """Return optimizer steps in all."""
        return max(1, round(self.epochs * self.steps_per_epoch(rows)))

    def rate(self, fraction: float) -> float:
        """Return the learning rate at a fraction of the training."""
        if self.warmup and fraction < self.warmup:
            return self.lr * (fraction + 1e-9) / self.warmup
        if self.curve == "constant":
            return self.lr
        start = 0.5 if self.curve == "flat_cos" else 0.0
        place = max(0.0, (fraction - start) / (1 - start))
        return self.lr * 0.5 * (1 + math.cos(math.pi * min(1.0, place)))

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-safe fields."""
        return asdict(self)
