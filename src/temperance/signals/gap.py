"""The generalization gap."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch

from temperance.core.batch import Batch
from temperance.core.signal import Probe, Signal, mean_and_error, signals


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

    def measure(self, probe: Probe) -> dict[str, float]:
        """Return the losses of both sides, their difference and its standard error; NaN without batches."""
        valid, valid_error = _side(probe, probe.valid)
        train, train_error = _side(probe, probe.train)
        return {
            "gap": valid - train,
            "gap_error": math.hypot(valid_error, train_error),
            "train_loss": train,
            "valid_loss": valid,
            "valid_loss_error": valid_error,
        }


def _side(probe: Probe, batches: Sequence[Batch]) -> tuple[float, float]:
    if not batches:
        return math.nan, math.nan
    mean, error, _ = mean_and_error(torch.cat([probe.losses(batch, probe.served) for batch in batches]))
    return mean, error
