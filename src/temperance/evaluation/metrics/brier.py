"""Squared error of the stated chances."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from temperance.evaluation.base import CLASSIFICATION, Array, Metric, Outcome


@final
@dataclass(frozen=True)
class Brier(Metric):
    """Mean squared distance between probabilities and the truth.

    Binary: of the positive class, in [0, 1]. More classes: summed over classes, in [0, 2].
    """

    name = "brier"
    better = "lower"
    tasks = CLASSIFICATION
    weighs = True
    words = "how far the stated chances are from what happened (0 is perfect)"
    convention = (
        "binary: positive class, 0 to 1; more classes: sum over classes, 0 to 2; Student interval on the log scale"
    )
    scale = "positive"

    def contributions(self, outcome: Outcome) -> Array:
        """Return the squared distance of each row."""
        if outcome.task == "binary":
            positive: Array = np.square(outcome.prediction[:, 1] - outcome.target)
            return positive
        p = outcome.prediction
        chance = p[np.arange(outcome.n), outcome.target]
        distance: Array = np.square(p).sum(axis=1) - 2 * chance + 1
        return distance
