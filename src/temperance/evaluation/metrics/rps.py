"""How far stated chances of levels are from what happened."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from temperance.evaluation.base import CLASSIFICATION, Array, Metric, Outcome


@final
@dataclass(frozen=True)
class Rps(Metric):
    """Ranked probability score: mean over rows of Σₖ (P(y ≤ k) − 1[y ≤ k])² / (c − 1), of ordered classes.

    References:
        Epstein (1969), A Scoring System for Probability Forecasts of Ranked Categories.

    """

    name = "rps"
    better = "lower"
    tasks = CLASSIFICATION
    weighs = True
    words = "how far the stated chances of levels are from what happened (0 is perfect)"
    convention = "ranked probability score over c − 1; Student interval"

    def applies(self, outcome: Outcome) -> bool:
        """Need levels."""
        return outcome.task in self.tasks and outcome.ordered

    def contributions(self, outcome: Outcome) -> Array:
        """Return each row's score."""
        below = np.cumsum(outcome.prediction, axis=1)[:, :-1]
        happened = outcome.target[:, None] <= np.arange(below.shape[1])
        score: Array = np.square(below - happened).sum(axis=1) / max(1, below.shape[1])
        return score
