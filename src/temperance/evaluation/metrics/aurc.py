"""Error left when the least certain rows are set aside."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from temperance.evaluation.base import CLASSIFICATION, Array, Metric, Outcome


@final
@dataclass(frozen=True)
class Aurc(Metric):
    """Area under the risk-coverage curve: mean over k of the error rate among the k most certain rows.

    With rows sorted by falling confidence and e_j the error of row j, the value is Σ_j e_j (H_n − H_{j−1}) / n, with H
    the harmonic numbers. Ties in confidence share their mean error, which is the value expected over their orders.
    The influence of row i is e_i (H_n − H_{i−1}) − Σ_{j ≥ i} e_j / j + mean(e) − value.
    """

    name = "aurc"
    better = "lower"
    tasks = CLASSIFICATION
    words = "how few mistakes are left when the model may pass on rows that it is unsure of (0 is perfect)"
    convention = "mean form, ties at their expected value; delta-method interval on the log scale"
    scale = "positive"
    basic = False

    def contributions(self, outcome: Outcome) -> Array:
        """Return the value plus each row's influence on it."""
        order = np.argsort(-outcome.confidence, kind="stable")
        error = _level_ties(1.0 - outcome.sure[order], outcome.confidence[order])
        inverse = 1.0 / np.arange(1, outcome.n + 1)
        harmonic = np.cumsum(inverse[::-1])[::-1]
        later = np.cumsum((error * inverse)[::-1])[::-1]
        parts = np.empty(outcome.n)
        parts[order] = error * harmonic - later + error.mean()
        return parts


def risk_at(outcome: Outcome, *, coverage: float) -> float:
    """Return the error rate among the most certain share ``coverage`` of rows."""
    kept = np.argsort(-outcome.confidence, kind="stable")[: max(1, round(coverage * outcome.n))]
    return float(1.0 - outcome.sure[kept].mean())


def abstention(outcome: Outcome, *, shares: tuple[float, ...] = (0.0, 0.05, 0.1, 0.2, 0.3)) -> list[dict[str, float]]:
    """Return, for each share of rows handed to a human, the error rate of the answers that are left."""
    return [{"handed_over": share, "error": risk_at(outcome, coverage=1.0 - share)} for share in shares]


def _level_ties(error: Array, confidence: Array) -> Array:
    _, code, count = np.unique(confidence, return_inverse=True, return_counts=True)
    level: Array = (np.bincount(code, weights=error) / count)[code]
    return level
