"""F1 in which every class counts the same."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from temperance.evaluation.base import CLASSIFICATION, Array, Metric, Outcome


@final
@dataclass(frozen=True)
class MacroF1(Metric):
    """Mean over classes of 2 TP / (rows predicted + rows true).

    A class counts when it is present or predicted. Row i contributes value + mean over classes of
    (2 tp_i − F1_c (predicted_i + true_i)) · n / (predicted + true).
    """

    name = "macro_f1"
    better = "higher"
    tasks = CLASSIFICATION
    words = "how well each class is found without false alarms, averaged over classes"
    convention = "mean over classes present or predicted; delta-method interval on the logit scale"
    scale = "unit"

    def contributions(self, outcome: Outcome) -> Array:
        """Return the value plus each row's influence on it."""
        classes = outcome.prediction.shape[1]
        true = np.bincount(outcome.target, minlength=classes)
        guessed = np.bincount(outcome.label, minlength=classes)
        hit = np.bincount(outcome.target, weights=outcome.correct, minlength=classes)
        seen = true + guessed > 0
        total = np.maximum(true + guessed, 1)
        score = np.where(seen, 2 * hit / total, 0.0)
        scale = outcome.n / total / seen.sum()
        of_true, of_guess = scale[outcome.target], scale[outcome.label]
        influence = 2 * outcome.correct * of_true - score[outcome.target] * of_true - score[outcome.label] * of_guess
        parts: Array = score[seen].mean() + influence
        return parts
