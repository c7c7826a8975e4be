"""The generalization gap."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from temperance.core.heldout import side
from temperance.core.signal import Probe, Signal, signals


@signals.add
@dataclass(frozen=True)
class Gap(Signal):
    """Compare clean training batches with held-out batches, both in evaluation mode, at the weights that would ship.

        gap = valid_loss − train_loss,  gap_error = sqrt(e_valid² + e_train²),  e = sd of the losses / sqrt(n)

    A loss that gives one number per batch has no error: gap_error is NaN then.
    Source: techniques survey, S2; the two-sample standard error is textbook.
    """

    gives: ClassVar[tuple[str, ...]] = ("gap", "gap_error", "train_loss", "valid_loss", "valid_loss_error")
    price: ClassVar[str] = "one forward pass over the held-out batches and the kept training batches"
    needs_valid: ClassVar[bool] = False

    def measure(self, probe: Probe) -> dict[str, float]:
        """Return the losses of both sides, their difference and its standard error; NaN without batches."""
        known = probe.reading
        if "valid_loss" in known:
            valid, valid_error = known["valid_loss"], known.get("valid_loss_error", math.nan)  # of the user's own
        else:
            valid, valid_error = side(probe.losses, probe.valid, probe.served, probe.counts)
        train, train_error = side(probe.losses, probe.train, probe.served, probe.counts)
        return {
            "gap": valid - train,
            "gap_error": math.hypot(valid_error, train_error),
            "train_loss": train,
            "valid_loss": valid,
            "valid_loss_error": valid_error,
        }
