"""Another mix of classes than in these rows: what the answers would be worth, every class as hard as it is."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from temperance.evaluation.base import Outcome
from temperance.records.errors import SettingError
from temperance.records.measurement import Measurement
from temperance.records.statistics import mean_interval, pool_groups

FACTORS = (1.5, 2.0, 3.0, 5.0, 10.0)
_LEAST = 5  # rows of a class below which nothing is said of it


def prior_shift(outcome: Outcome, classes: Sequence[str], *, factors: Sequence[float] = FACTORS) -> list[Measurement]:
    """Return accuracy where one class is so many times as common against the others, for the class that hurts most.

        π'_k ∝ f · π_k for the class k, π_j for the others;  accuracy = Σ π'_y · share right of class y

    Label shift: the rows of each class stay what they are (Saerens et al. 2002; Lipton et al. 2018, arXiv:1802.03916).
    The class that hurts most is chosen on the same rows, so its figure is a little too low.

    Args:
        outcome: answers beside the truth.
        classes: labels in the order of the codes.
        factors: how many times as common.

    Raises:
        SettingError: a factor that is not above 0.

    """
    if any(not 0 < factor < float("inf") for factor in factors):
        raise SettingError(f"factors {list(factors)}", "numbers above 0", "1 is no shift")
    counts = np.bincount(outcome.target, minlength=len(classes))
    right = np.bincount(outcome.target, weights=outcome.correct, minlength=len(classes))
    known = np.flatnonzero(counts >= _LEAST)
    if len(known) < 2:
        return []
    recall = np.where(counts > 0, right / np.maximum(counts, 1), 0.0)
    hard = int(known[np.argmin(recall[known])])
    found = []
    for factor in factors:
        weight = np.where(outcome.target == hard, factor, 1.0)
        value = float(np.average(outcome.correct, weights=weight))
        parts = value + weight / weight.mean() * (outcome.correct - value)
        low, high = mean_interval(pool_groups(parts, outcome.groups), scale="unit")
        found.append(
            Measurement(
                f"prior_shift/{classes[hard]}/{factor:g}",
                value,
                low if np.isfinite(low) else None,
                high if np.isfinite(high) else None,
                outcome.n,
                convention=(
                    f"accuracy if class {classes[hard]!r}, the hardest with {_LEAST} rows or more, were "
                    f"{factor:g} times as common against the others; rows reweighted, Student interval"
                ),
            )
        )
    return found
