"""Beta calibration: one strength for each of two classes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self, final

import numpy as np

from temperance.evaluation.base import Array
from temperance.evaluation.calibration.base import Calibrator, Codes
from temperance.evaluation.calibration.logistic import as_scores, fit_logistic, logits_of

_RIDGE = 2.0


@final
@dataclass(frozen=True)
class Beta(Calibrator):
    """logit p' = second·log p − first·log(1 − p) + shift, with p of the second class.

    Neither strength is below 0, so the order of rows stays; (1, 1, 0) changes nothing, and a ridge draws the fit there.

    Attributes:
        first: strength of the first class.
        second: of the second.
        shift: added to the logit.

    References:
        Kull, Silva Filho, Flach (2017), Beta calibration, AISTATS, section 4.

    """

    first: float = 1.0
    second: float = 1.0
    shift: float = 0.0
    kind = "beta"

    @classmethod
    def fit(cls, logs: Array, target: Codes, weight: Array | None = None) -> Self:
        """Fit strengths and shift by maximum likelihood with a ridge."""
        logits_of(logs)
        features = np.stack([-logs[:, 0], logs[:, 1], np.ones(len(logs))], axis=1)
        theta = fit_logistic(
            features, target, weight,
            centre=np.array([1.0, 1.0, 0.0]), ridge=np.full(3, _RIDGE), floor=np.array([0.0, 0.0, -np.inf]),
        )  # fmt: skip
        return cls(*(float(t) for t in theta))

    def scores(self, logs: Array) -> Array:
        """Return (b, 2) whose difference is the calibrated logit."""
        logits_of(logs)
        return as_scores(self.second * logs[:, 1] - self.first * logs[:, 0] + self.shift)

    def shrunk(self, share: float) -> Self:
        """Interpolate all three."""
        return type(self)(1 + share * (self.first - 1), 1 + share * (self.second - 1), share * self.shift)
