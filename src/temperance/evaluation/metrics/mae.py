"""Mean size of the error."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from temperance.evaluation.base import REGRESSION, Array, Metric, Outcome


@final
@dataclass(frozen=True)
class Mae(Metric):
    """Mean absolute error, in units of the target."""

    name = "mae"
    better = "lower"
    tasks = REGRESSION
    weighs = True
    words = "how far off the predictions are on average"
    convention = "mean absolute error; Student interval on the log scale"
    scale = "positive"

    def contributions(self, outcome: Outcome) -> Array:
        """Return absolute errors."""
        size: Array = np.abs(outcome.prediction - outcome.target)
        return size
