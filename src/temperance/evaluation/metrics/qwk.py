"""Agreement of answered and true levels beyond chance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from temperance.evaluation.base import CLASSIFICATION, Array, Metric, Outcome


@final
@dataclass(frozen=True)
class Qwk(Metric):
    """Quadratic weighted kappa: 1 − A / B of ordered classes.

    A is the mean squared distance of answer and truth, B the same of answers and truths drawn apart. The influence of
    a row is (A/B)·(E(tᵢ − L)² + E(T − lᵢ)² − 2B)/B − ((tᵢ − lᵢ)² − A)/B.

    References:
        Cohen (1968), Weighted Kappa.

    """

    name = "qwk"
    better = "higher"
    tasks = CLASSIFICATION
    words = "how well answered and true levels agree beyond chance (1 is perfect, 0 is chance)"
    convention = "squared distances; delta-method interval"

    def applies(self, outcome: Outcome) -> bool:
        """Need levels, and both answers and truths that differ."""
        return outcome.task in self.tasks and outcome.ordered

    def contributions(self, outcome: Outcome) -> Array:
        """Return the value plus each row's influence on it."""
        truth, answer = outcome.target.astype(np.float64), outcome.label.astype(np.float64)
        square = np.square(truth - answer)
        from_answers = np.square(truth) - 2 * truth * answer.mean() + np.mean(answer**2)
        from_truths = np.square(answer) - 2 * answer * truth.mean() + np.mean(truth**2)
        apart = float(from_answers.mean())
        if apart == 0:
            return np.zeros(outcome.n)
        ratio = float(square.mean()) / apart
        gained = ratio * (from_answers + from_truths - 2 * apart) - (square - square.mean())
        parts: Array = 1 - ratio + gained / apart
        return parts
