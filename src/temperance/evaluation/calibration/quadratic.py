"""Quadratic scaling: bend the logit of two classes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self, final

import numpy as np

from temperance.evaluation.base import Array
from temperance.evaluation.calibration.base import Calibrator, Codes
from temperance.evaluation.calibration.logistic import as_scores, fit_logistic, logits_of

_RIDGE = 2.0  # as strong as the class count, whatever the count of rows (Berta et al.)
_NARROWEST = 2.0


@final
@dataclass(frozen=True)
class Quadratic(Calibrator):
    """logit p' = a·z² + b·z + c for z = logit p within the range that calibration rows had, straight lines outside.

    It is held by its slopes at both ends of the range, neither below 0: so the map rises everywhere (the order of rows
    stays, and so does the AUC) and runs on straight where no row was seen, where a parabola would turn around.
    a = (last − first) / 2(high − low), b = first − 2·a·low; (first, last, shift) = (1, 1, 0) changes nothing, and a
    ridge draws the fit there.

    Attributes:
        first: slope at ``low`` and below.
        last: slope at ``high`` and above.
        shift: c.
        low: smallest logit of the calibration rows.
        high: largest.

    References:
        Berta et al. (2026), structured matrix scaling and its binary form ``quadratic`` in probmetrics.

    """

    first: float = 1.0
    last: float = 1.0
    shift: float = 0.0
    low: float = -1.0
    high: float = 1.0
    kind = "quadratic"

    @classmethod
    def fit(cls, logs: Array, target: Codes, weight: Array | None = None) -> Self:
        """Fit slopes and shift by maximum likelihood with a ridge."""
        z = logits_of(logs)
        low, high = float(z.min()), float(z.max())
        if high - low < _NARROWEST:
            middle = 0.5 * (low + high)
            low, high = middle - 0.5 * _NARROWEST, middle + 0.5 * _NARROWEST
        bent = _bent(z, low, high)
        theta = fit_logistic(
            np.stack([z - bent, bent, np.ones_like(z)], axis=1), target, weight,
            centre=np.array([1.0, 1.0, 0.0]), ridge=np.full(3, _RIDGE), floor=np.array([0.0, 0.0, -np.inf]),
        )  # fmt: skip
        first, last, shift = (float(t) for t in theta)
        return cls(first, last, shift, low, high)

    def scores(self, logs: Array) -> Array:
        """Return (b, 2) whose difference is the bent logit."""
        z = logits_of(logs)
        bent = _bent(z, self.low, self.high)
        return as_scores(self.first * (z - bent) + self.last * bent + self.shift)

    @property
    def start(self) -> float:
        """What the bent part has gathered at logit 0, where it counts from."""
        return float(_area(np.zeros(1), self.low, self.high)[0])

    def shrunk(self, share: float) -> Self:
        """Interpolate slopes and shift."""
        first, last = 1 + share * (self.first - 1), 1 + share * (self.last - 1)
        return type(self)(first, last, share * self.shift, self.low, self.high)


def _area(z: Array, low: float, high: float) -> Array:
    """Return ∫ r(t) dt up to z (b,), where r rises from 0 at ``low`` to 1 at ``high`` and is flat outside."""
    area: Array = (np.clip(z, low, high) - low) ** 2 / (2 * (high - low)) + np.maximum(z - high, 0.0)
    return area


def _bent(z: Array, low: float, high: float) -> Array:
    return _area(z, low, high) - _area(np.zeros(1), low, high)
