"""How far predicted means of counts are from the counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from temperance.evaluation.base import REGRESSION, Array, Metric, Outcome

LEAST_MEAN = 1e-6  # a mean of 0 that is wrong costs a finite amount


@final
@dataclass(frozen=True)
class PoissonDeviance(Metric):
    """Mean over rows of 2 (y log(y/μ) − y + μ), with y log y = 0 at 0; least at the true means whatever their spread.

    References:
        Nelder and Wedderburn (1972), Generalized Linear Models.

    """

    name = "poisson_deviance"
    better = "lower"
    tasks = REGRESSION
    weighs = True
    words = "how far the predicted means are from the counts, relative to their size (0 is perfect)"
    convention = "mean Poisson deviance, means below 1e-6 raised to it; Student interval"

    def applies(self, outcome: Outcome) -> bool:
        """Need counts."""
        return outcome.task in self.tasks and outcome.counts

    def contributions(self, outcome: Outcome) -> Array:
        """Return each row's deviance."""
        mean, y = np.maximum(outcome.prediction, LEAST_MEAN), outcome.target
        logs = np.log(np.where(y > 0, y, 1.0) / np.where(y > 0, mean, 1.0))
        deviance: Array = 2 * (y * logs - y + mean)
        return deviance
