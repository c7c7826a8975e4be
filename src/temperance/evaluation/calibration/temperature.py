"""Temperature scaling: one number for all classes. And the loss after it, which says how well a model can rank."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self, final

import numpy as np
from numpy.typing import ArrayLike

from temperance.evaluation.base import Array
from temperance.evaluation.calibration.base import Calibrator, Codes, floored_logs, log_softmax
from temperance.records.errors import DataError

_LOW, _HIGH = 0.05, 20.0  # temperatures outside say that the rows cannot tell


@final
@dataclass(frozen=True)
class Temperature(Calibrator):
    """log p' = log p / value + constant; the order of the classes never changes.

    Attributes:
        value: the temperature, 0.05 … 20; above 1 makes the model less sure of itself.

    References:
        Guo, Pleiss, Sun, Weinberger (2017), arXiv:1706.04599, section 4.2.

    """

    value: float = 1.0
    kind = "temperature"

    @classmethod
    def fit(cls, logs: Array, target: Codes, weight: Array | None = None) -> Self:
        """Find the temperature of least log loss."""
        return cls(float(1 / _inverse(logs, target, weight, steps=60)))

    def scores(self, logs: Array) -> Array:
        """Return ``logs / value``."""
        scaled: Array = logs / self.value
        return scaled

    def shrunk(self, share: float) -> Self:
        """Interpolate 1 / value, which log probabilities are linear in."""
        return type(self)(1 / (1 + share * (1 / self.value - 1)))


def refinement_loss(
    probabilities: ArrayLike, target: ArrayLike, *, sample_weight: ArrayLike | None = None, steps: int = 8
) -> Array:
    """Return the log loss after the temperature that is best on the same rows.

    What is left is refinement: it falls while a net still learns to tell classes apart, though its confidence is
    already off. So it is the right figure for stopping and for choosing among readings that will be calibrated later.

    Args:
        probabilities: (..., b, c): any number of answers on the same rows.
        target: (b,) class codes.
        sample_weight: (b,), not negative.
        steps: at most so many steps of Newton's method; 8 give six digits.

    Returns:
        (...): nats, one per answer; probabilities are kept at 1e-12 or more.

    Raises:
        DataError: no rows, or shapes that do not match.

    References:
        Berta, Holzmüller, Jordan, Bach (2025), arXiv:2501.19195.

    """
    logs, y = floored_logs(probabilities), np.asarray(target, dtype=np.int64)
    weight = None if sample_weight is None else np.asarray(sample_weight, dtype=np.float64)
    if logs.ndim < 2 or not len(y) or logs.shape[-2] != len(y) or (weight is not None and weight.shape != y.shape):
        raise DataError(
            f"predictions of shape {logs.shape} and targets of shape {y.shape}",
            "(..., b, c) and (b,), and weights (b,)", "Check rows and axes",
        )  # fmt: skip
    inverse = _inverse(logs, y, weight, steps=steps)
    surprise = -log_softmax(logs * inverse[..., None, None])[..., np.arange(len(y)), y]
    return np.asarray(np.average(surprise, axis=-1, weights=weight))


def _inverse(logs: Array, y: Codes, weight: Array | None, *, steps: int) -> Array:
    """Return 1 / temperature (...) of logs (..., b, c).

    The loss is convex in it: Newton's method, kept between the ends by bisection.
    """
    low, high = np.full(logs.shape[:-2], 1 / _HIGH), np.full(logs.shape[:-2], 1 / _LOW)
    inverse, right = np.ones(logs.shape[:-2]), logs[..., np.arange(len(y)), y]
    for _ in range(steps):
        p = np.exp(log_softmax(logs * inverse[..., None, None]))
        mean = np.einsum("...bc,...bc->...b", p, logs)
        square = np.einsum("...bc,...bc,...bc->...b", p, logs, logs)
        slope = np.average(mean - right, axis=-1, weights=weight)
        curve = np.average(square - mean**2, axis=-1, weights=weight)
        low, high = np.where(slope < 0, inverse, low), np.where(slope < 0, high, inverse)
        step = inverse - slope / np.where(curve > 0, curve, np.inf)
        following = np.where((low <= step) & (step <= high), step, 0.5 * (low + high))
        if np.abs(following - inverse).max(initial=0.0) < 1e-12:
            break
        inverse = following
    return np.asarray(inverse)
