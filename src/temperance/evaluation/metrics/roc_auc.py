"""Chance that a positive row is ranked above a negative one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from temperance.evaluation.base import CLASSIFICATION, Array, Metric, Outcome


@final
@dataclass(frozen=True)
class RocAuc(Metric):
    """Area under the ROC curve; more than two classes: mean of one class against the rest.

    The contributions are DeLong's structural components, so the interval is DeLong's on the logit scale and a paired
    comparison of two models is DeLong's test.

    References:
        DeLong, DeLong, Clarke-Pearson (1988); Sun and Xu (2014) for the ranks.

    """

    name = "roc_auc"
    better = "higher"
    tasks = CLASSIFICATION
    words = "how well rows of the class are put above the others (0.5 is guessing, 1 is perfect)"
    convention = "ties count half; macro one-vs-rest beyond two classes; DeLong interval on the logit scale"
    scale = "unit"

    def applies(self, outcome: Outcome) -> bool:
        """Need at least two classes among the rows."""
        return outcome.task in self.tasks and len(np.unique(outcome.target)) > 1

    def contributions(self, outcome: Outcome) -> Array:
        """Return the value plus each row's influence on it."""
        if outcome.task == "binary":
            return components(outcome.prediction[:, 1], outcome.target == 1)
        present = np.unique(outcome.target)
        parts = [components(outcome.prediction[:, c], outcome.target == c) for c in present]
        mean: Array = np.mean(parts, axis=0)
        return mean

    def flags(self, outcome: Outcome) -> tuple[str, ...]:
        """Flag classes that have no row here."""
        absent = outcome.prediction.shape[1] - len(np.unique(outcome.target))
        return (f"{absent} classes have no row here and do not count",) if absent else ()


def components(score: Array, positive: NDArray[Any]) -> Array:
    """Return (b,) contributions to the area under the ROC curve of ``score``, both kinds of rows being present.

    A positive row's component is the share of negatives below it, a negative row's the share of positives above it;
    each is centred and weighted by the inverse share of its kind.
    """
    order_all = ranks(score)
    parts = np.empty(len(score))
    up, down = score[positive], score[~positive]
    n_up, n_down = len(up), len(down)
    above = (order_all[positive] - ranks(up)) / n_down
    below = 1.0 - (order_all[~positive] - ranks(down)) / n_up
    area = float(above.mean())
    parts[positive] = area + (above - area) * (len(score) / n_up)
    parts[~positive] = area + (below - area) * (len(score) / n_down)
    # each kind carries its own centred sum, so the mean over all rows is the area itself
    return parts


def ranks(values: Array) -> Array:
    """Return ranks from 1, ties sharing their mean rank."""
    _, code, count = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(count)
    shared: Array = (last - (count - 1) / 2.0)[code]
    return shared
