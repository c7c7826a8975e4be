"""Can a change of class shares alone explain how the inputs look now? If not, a prior correction has no ground."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from temperance.monitoring.monitor import Monitor
from temperance.monitoring.panel import TRACE
from temperance.records.errors import DataError

GROUPS = 5  # groups of neighbouring bins per channel, about equally full; a class has few reference rows
LEAST = 50.0  # rows of traffic below which a channel says nothing


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
        overall = counts.sum(axis=2)
        total = np.maximum(overall.sum(axis=1, keepdims=True), 1)
        middle = (np.cumsum(overall, axis=1) - overall / 2) / total  # of the whole reference: blind to the classes
        group = np.minimum((middle * GROUPS).astype(np.int64), GROUPS - 1)
        self._merge = (group[:, :, None] == np.arange(GROUPS)).astype(np.float64)  # (c, bins, groups)
        merged = np.einsum("cby,cbg->cgy", counts.astype(np.float64), self._merge)
        self._used = merged.sum(axis=2) > 0
        added = 0.5 * self._used[:, :, None]  # Jeffreys' prior
        known = (merged + added).sum(axis=1, keepdims=True)
        self._given = (merged + added) / np.maximum(known, 1.0)
        one = 1 / np.maximum(known, 1.0)
        self._doubt = (self._given + one) / (known + 1)  # variance of each share, one row to the safe side

    def __call__(self, prior: NDArray[np.float64]) -> float:
        """Return the p-value (after Bonferroni) that shares ``prior`` (classes,) explain the recent traffic."""
        trace = np.einsum("cb,cbg->cg", self.monitor.panel.trace, self._merge)
        total = trace.sum(axis=1, keepdims=True)
        filled = np.minimum(TRACE * total, 1.0)
        effective = np.maximum(filled * (2 - TRACE) / (TRACE * (2 - filled)), 1e-9)  # (Σw)² / Σw²
        expected = self._given @ prior
        noise = expected / effective + self._doubt @ prior**2
        gap = trace / np.maximum(total, 1e-9) - expected
        parts = np.where(self._used, gap**2 / np.maximum(noise, 1e-12), 0.0).sum(axis=1)
        freedom = self._used.sum(axis=1) - 1
        told = (freedom >= 1) & (effective[:, 0] >= LEAST)
        if not told.any():
            return 1.0
        spread = 2 / (9 * freedom[told])
        z = (np.cbrt(parts[told] / freedom[told]) - (1 - spread)) / np.sqrt(spread)
        return min(1.0, int(told.sum()) * 0.5 * math.erfc(float(z.max()) / math.sqrt(2)))
