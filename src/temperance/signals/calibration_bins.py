"""Calibration by ranges of confidence."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from temperance.core.devices import widened
from temperance.core.signal import Probe, Signal, signals

BINS = 15


@signals.add
@dataclass(frozen=True)
class CalibrationBins(Signal):
    """Sort held-out rows by confidence into fifteen bins of equal count and compare confidence with accuracy.

        calibration_gap_i = mean confidence − accuracy of bin i (0 for an empty bin)
        calibration_edge_i = confidence between bin i − 1 and bin i

    NaN for anything but a classifier with class numbers as targets. Members are averaged as probabilities.
    Source: Ghosh, Schaaf and Gormley (2022), arXiv:2211.11838, section 4; bins: Mukhoti et al. (2020),
    arXiv:2002.09437, adaptive calibration error.
    """

    gives: ClassVar[tuple[str, ...]] = (
        *(f"calibration_gap_{i:02d}" for i in range(BINS)),
        *(f"calibration_edge_{i:02d}" for i in range(1, BINS)),
    )
    price: ClassVar[str] = "one forward pass over the held-out batches"

    def measure(self, probe: Probe) -> dict[str, float]:
        """Return fifteen gaps and the fourteen bounds between the bins."""
        rows = [_rows(probe.outputs(batch, probe.served), batch.targets) for batch in probe.valid]
        known = [pair for pair in rows if pair is not None]
        if not known or len(known) < len(rows):
            return dict.fromkeys(self.gives, math.nan)
        confidence = np.concatenate([pair[0] for pair in known])
        right = np.concatenate([pair[1] for pair in known])
        gaps, edges = calibration(confidence, right)
        return dict(zip(self.gives, [*gaps.tolist(), *edges.tolist()], strict=True))


def calibration(
    confidence: NDArray[np.float64], right: NDArray[np.float64], bins: int = BINS
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return gaps (bins,) and inner bounds (bins − 1,) of bins that hold equally many rows.

    Args:
        confidence: largest probability, (n,).
        right: 1 where the answer is right, (n,).
        bins: their number.

    """
    n = len(confidence)
    bounds = np.interp(np.linspace(0, n, bins + 1), np.arange(n), np.sort(confidence))
    gaps = np.zeros(bins)
    for i in range(bins):
        inside = (confidence > bounds[i]) & (confidence <= bounds[i + 1])
        if inside.any():
            gaps[i] = confidence[inside].mean() - right[inside].mean()
    return gaps, bounds[1:-1]


def _rows(outputs: object, targets: object) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    if not isinstance(outputs, Tensor) or not isinstance(targets, Tensor) or targets.is_floating_point():
        return None
    if outputs.dim() not in (2, 3) or outputs.shape[-1] < 2 or targets.dim() != 1:
        return None
    shares = torch.softmax(widened(outputs.detach()), -1)
    confidence, answer = (shares.mean(1) if shares.dim() == 3 else shares).max(-1)
    return confidence.cpu().numpy(), widened(answer == targets).cpu().numpy()
