"""Share of the target's variation that is explained."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from temperance.evaluation.base import REGRESSION, Array, Metric, Outcome


@final
@dataclass(frozen=True)
class R2(Metric):
    """1 − mean squared error / variance of the target.

    With s_i the squared error, v_i the squared distance to the mean target and m, v their means, row i contributes
    value − (s_i − m) / v + m (v_i − v) / v².
    """

    name = "r2"
    better = "higher"
    tasks = REGRESSION
    words = "the share of the ups and downs that the model explains (0 is guessing the mean, 1 is perfect)"
    convention = "mean of the rows measured as baseline; delta-method interval"

    def applies(self, outcome: Outcome) -> bool:
        """Need targets that differ."""
        return outcome.task in self.tasks and bool(np.ptp(outcome.target) > 0)

    def contributions(self, outcome: Outcome) -> Array:
        """Return the value plus each row's influence on it."""
        squared = np.square(outcome.prediction - outcome.target)
        spread = np.square(outcome.target - outcome.target.mean())
        m, v = squared.mean(), spread.mean()
        parts: Array = 1 - m / v - (squared - m) / v + m * (spread - v) / v**2
        return parts
