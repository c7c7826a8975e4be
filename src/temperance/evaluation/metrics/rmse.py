"""Typical size of the error, large errors counting more."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from temperance.evaluation.base import REGRESSION, Array, Metric, Outcome
from temperance.records.statistics import Interval, bootstrap_interval, pool_groups


@final
@dataclass(frozen=True)
class Rmse(Metric):
    """Root of the mean squared error, in units of the target."""

    resamples: int = 500

    name = "rmse"
    better = "lower"
    tasks = REGRESSION
    words = "how far off the predictions typically are, big misses counting more"
    convention = "root mean squared error; percentile bootstrap interval"

    def contributions(self, outcome: Outcome) -> Array:
        """Return squared errors."""
        squared: Array = np.square(outcome.prediction - outcome.target)
        return squared

    def finish(self, mean: Any) -> Any:
        """Return the root."""
        return np.sqrt(np.maximum(mean, 0.0))

    def interval(self, outcome: Outcome, parts: Array) -> Interval:
        """Return the percentile bootstrap interval."""
        rows = pool_groups(parts, outcome.groups)
        if len(rows) < 2:
            return Interval(-math.inf, math.inf)
        return bootstrap_interval(
            rows, statistic=self.finish, confidence=self.confidence, resamples=self.resamples, seed=self.seed
        )
