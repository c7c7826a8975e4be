"""Can a change of class shares alone explain how the inputs look now? If not, a prior correction has no ground."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from temperance.monitoring.monitor import Monitor
from temperance.monitoring.panel import TRACE
from temperance.records.errors import DataError

RARE = 3.0  # expected rows of a bin below which it is pooled


class InputCheck:
    """Pearson test of every watched channel against the reference classes, mixed in the new shares.

    Under label shift each channel's histogram is Σ_y π_y H(bin | y), H from labelled reference rows. The smallest
    p-value over the channels, times their count (Bonferroni), is the answer. Noise of traffic and reference
    both count.

    Args:
        monitor: the monitor that watches the same traffic; its reference was built with targets.

    Raises:
        DataError: the reference holds no counts per class.

    """

    def __init__(self, monitor: Monitor) -> None:
        counts = monitor.reference.get("class_counts")
        if counts is None:
            raise DataError("the reference holds no counts per class", "one built with target=", "Export with labels")
        self.monitor = monitor
        known = counts.sum(axis=1, keepdims=True)  # (c, 1, classes)
        overall = counts.sum(axis=2, keepdims=True) / np.maximum(counts.sum(axis=(1, 2), keepdims=True), 1)
        self._given = (counts + overall) / (known + 1)
        self._known = known[:, 0] + 1.0

    def __call__(self, prior: NDArray[np.float64]) -> float:
        """Return the p-value (after Bonferroni) that shares ``prior`` (classes,) explain the recent traffic."""
        trace = self.monitor.panel.trace
        total = trace.sum(axis=1)
        filled = np.minimum(TRACE * total, 1.0)
        effective = np.maximum(filled * (2 - TRACE) / (TRACE * (2 - filled)), 1e-9)[:, None]  # (Σw)² / Σw²
        expected = self._given @ prior
        noise = expected / effective + np.einsum("cby,y,cy->cb", self._given, prior**2, 1 / self._known)
        gap = trace / np.maximum(total, 1e-9)[:, None] - expected
        rare = expected * effective < RARE
        parts = np.where(rare, 0.0, gap**2 / np.maximum(noise, 1e-12)).sum(axis=1)
        pooled = np.where(rare, noise, 0.0).sum(axis=1)
        odd = pooled * effective[:, 0] > RARE
        parts += np.where(odd, np.where(rare, gap, 0.0).sum(axis=1) ** 2 / np.maximum(pooled, 1e-12), 0.0)
        freedom = (~rare).sum(axis=1) + odd - 1
        used = (freedom >= 1) & (total >= RARE)
        if not used.any():
            return 1.0
        spread = 2 / (9 * freedom[used])
        z = (np.cbrt(parts[used] / freedom[used]) - (1 - spread)) / np.sqrt(spread)
        return min(1.0, int(used.sum()) * 0.5 * math.erfc(float(z.max()) / math.sqrt(2)))
