"""Accuracy in which every class counts the same."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from temperance.evaluation.base import CLASSIFICATION, Array, Metric, Outcome


@final
@dataclass(frozen=True)
class BalancedAccuracy(Metric):
    """Mean over the classes present of the share of their rows that is found.

    With recall r_c of class c, C classes present and π_c the share of class c, a row of class c contributes
    value + (correct − r_c) / (C π_c).
    """

    name = "balanced_accuracy"
    better = "higher"
    tasks = CLASSIFICATION
    words = "the share of right answers, with rare classes counted as much as common ones"
    convention = "mean recall over classes present; delta-method interval on the logit scale"
    scale = "unit"

    def contributions(self, outcome: Outcome) -> Array:
        """Return the value plus each row's influence on it."""
        _, code, count = np.unique(outcome.target, return_inverse=True, return_counts=True)
        recall = np.bincount(code, weights=outcome.correct) / count
        share = count / outcome.n
        parts: Array = recall.mean() + (outcome.correct - recall[code]) / (len(count) * share[code])
        return parts

    def flags(self, outcome: Outcome) -> tuple[str, ...]:
        """Flag classes that have no row here."""
        absent = outcome.prediction.shape[1] - len(np.unique(outcome.target))
        return (f"{absent} classes have no row here and do not count",) if absent else ()
