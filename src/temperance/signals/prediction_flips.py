"""On how many training rows the prediction changed since the last look."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import torch

from temperance.core.kit.by_row import gather, scores, table
from temperance.core.signal import ObservedPass, Probe, Signal, signals


@signals.add
@dataclass(frozen=True)
class PredictionFlips(Signal):
    """Count the training rows whose predicted class is not the one of the validation before.

        prediction_flips = Σᵢ 1[argmax now ≠ argmax last time],  prediction_flip_share = that / rows seen both times

    Predictions are those that training makes anyway; nothing is run for it. It needs ``Batch.index``; batches without
    it, with mixed targets, or with outputs that are not of classes are left out. NaN before two looks. Say
    ``validate`` once an epoch, so that every row was seen.

    Source: Yuan et al. (2024), "Early stopping against label noise without validation data" (Label Wave), section 3.
    """

    gives: ClassVar[tuple[str, ...]] = ("prediction_flips", "prediction_flip_share")
    price: ClassVar[str] = "free: one integer per training row is kept"
    needs_valid: ClassVar[bool] = False

    def watch(self, observed: ObservedPass, memory: dict[str, Any]) -> None:
        """Note what the pass predicted."""
        logits = scores(observed.outputs)
        if logits is not None and observed.batch.index is not None:
            gather(memory, observed.batch.index, logits.argmax(1))

    def measure(self, probe: Probe) -> dict[str, float]:
        """Compare with the last time."""
        now = table(probe.memory, -1)
        last = probe.memory.get("last", now[:0])
        size = max(len(now), len(last))
        now, last = (torch.nn.functional.pad(part.long(), (0, size - len(part)), value=-1) for part in (now, last))
        probe.memory["last"] = torch.where(now >= 0, now, last)
        both = (now >= 0) & (last >= 0)
        seen, flips = int(both.sum()), int((both & (now != last)).sum())
        if not seen:
            return {"prediction_flips": math.nan, "prediction_flip_share": math.nan}
        return {"prediction_flips": float(flips), "prediction_flip_share": flips / seen}
