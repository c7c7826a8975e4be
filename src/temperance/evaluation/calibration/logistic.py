"""Logistic regression of a few features, drawn towards a centre and kept above floors: what two-class maps are."""

from __future__ import annotations

import numpy as np

from temperance.evaluation.base import Array
from temperance.evaluation.calibration.base import Codes
from temperance.records.errors import DataError

_STEPS = 60


def logits_of(logs: Array) -> Array:
    """Return log p₁ − log p₀ (b,) of log probabilities (b, 2).

    Raises:
        DataError: other than two classes.

    """
    if logs.shape[1] != 2:
        raise DataError(
            f"{logs.shape[1]} classes",
            "two: this calibrator bends the logit of the second",
            "Use Matrix or Temperature",
        )
    z: Array = logs[:, 1] - logs[:, 0]
    return z


def as_scores(z: Array) -> Array:
    """Return scores (b, 2) whose difference is z (b,)."""
    return np.stack([-0.5 * z, 0.5 * z], axis=1)


def fit_logistic(
    features: Array, target: Codes, weight: Array | None, *, centre: Array, ridge: Array, floor: Array
) -> Array:
    """Return θ (p,) of least Σ w log(1 + exp(−±features·θ)) + Σ ridge (θ − centre)², with θ ≥ floor.

    Newton's method on the parameters that their floor does not hold; steps are halved until the loss falls. The problem
    is strictly convex, so there is one answer.

    Args:
        features: (b, p).
        target: (b,) of 0 and 1.
        weight: (b,) or None for 1.
        centre: (p,), not below ``floor``.
        ridge: (p,), positive.
        floor: (p,), −inf where there is none.

    """
    sign, w = 2.0 * target - 1.0, np.ones(len(target)) if weight is None else weight

    def loss(theta: Array) -> float:
        return float(w @ np.logaddexp(0.0, -sign * (features @ theta)) + ridge @ (theta - centre) ** 2)

    theta = centre.astype(np.float64)
    now = loss(theta)
    for _ in range(_STEPS):
        p = 0.5 * (1 + np.tanh(0.5 * (features @ theta)))  # a sigmoid that cannot overflow
        slope = features.T @ (w * (p - target)) + 2 * ridge * (theta - centre)
        free = (theta > floor) | (slope < 0)
        curve = (features.T * (w * p * (1 - p))) @ features + 2 * np.diag(ridge)
        step = np.zeros_like(theta)
        step[free] = -np.linalg.solve(curve[np.ix_(free, free)], slope[free])
        size = 1.0
        while size > 1e-6:
            following = np.maximum(theta + size * step, floor)
            then = loss(following)
            if then <= now:
                break
            size *= 0.5
        else:
            break
        moved, theta, now = np.abs(following - theta).max(), following, then
        if moved < 1e-8:
            break
    return theta
