"""Split-conformal sets and intervals: a promised share of new rows is covered, whatever the model.

The promise holds while new rows are like the calibration rows; it fails under drift.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from temperance.evaluation.base import Array
from temperance.records.distributions import beta_quantile
from temperance.records.errors import SettingError
from temperance.records.statistics import Interval


def order_statistic(scores: ArrayLike, *, coverage: float = 0.9) -> float:
    """Return the k-th smallest score, k = ceil((n + 1) · coverage); infinite when n is too small for the promise.

    Raises:
        SettingError: ``coverage`` outside (0, 1).

    """
    if not 0 < coverage < 1:
        raise SettingError(f"coverage {coverage}", "between 0 and 1, e.g. 0.9", "Give a share, not a percentage")
    values = np.sort(np.asarray(scores, dtype=np.float64))
    k = _rank(len(values), coverage)
    return math.inf if k > len(values) else float(values[k - 1])


def half_width(prediction: ArrayLike, target: ArrayLike, *, coverage: float = 0.9) -> float:
    """Return the half width of the interval around a predicted value: the order statistic of absolute errors."""
    gap = np.asarray(prediction, dtype=np.float64) - np.asarray(target, dtype=np.float64)
    return order_statistic(np.abs(gap), coverage=coverage)


def lac_threshold(probabilities: ArrayLike, target: ArrayLike, *, coverage: float = 0.9) -> float:
    """Return the least probability that a class needs to join the set (least ambiguous classifier).

    References:
        Sadinle, Lei, Wasserman (2019), arXiv:1609.00451.

    """
    p, y = np.asarray(probabilities, dtype=np.float64), np.asarray(target, dtype=np.int64)
    return 1.0 - order_statistic(1.0 - p[np.arange(len(y)), y], coverage=coverage)


def lac_sets(probabilities: ArrayLike, *, threshold: float) -> NDArray[np.bool_]:
    """Return which classes are in each row's set, (b, c)."""
    inside: NDArray[np.bool_] = np.asarray(probabilities) >= threshold
    return inside


def coverage_range(n: int, *, coverage: float = 0.9, confidence: float = 0.95) -> Interval:
    """Return where the true coverage lies, given n calibration rows: it follows Beta(k, n + 1 − k)."""
    k = _rank(n, coverage)
    if k > n:
        return Interval(1.0, 1.0)
    tail = (1 - confidence) / 2
    a, b = float(k), float(n + 1 - k)
    return Interval(beta_quantile(tail, a=a, b=b), beta_quantile(1 - tail, a=a, b=b))


def interval(prediction: ArrayLike, *, half: float) -> tuple[Array, Array]:
    """Return the ends of the intervals, prediction ± half."""
    centre = np.asarray(prediction, dtype=np.float64)
    return centre - half, centre + half


def _rank(n: int, coverage: float) -> int:
    return math.ceil((n + 1) * coverage - 1e-9)
