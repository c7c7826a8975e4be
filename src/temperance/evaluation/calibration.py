"""Temperature scaling: one number, fitted on calibration rows, that makes probabilities say what they mean."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from temperance.evaluation.base import CLIP, Array
from temperance.records.errors import DataError

_LOW, _HIGH = 0.05, 20.0  # temperatures outside say that the rows cannot tell


@dataclass(frozen=True)
class Temperature:
    """Divide log probabilities by ``value`` and normalise again; the order of the classes never changes.

    Attributes:
        value: the temperature; above 1 makes the model less sure of itself.
        n: rows it was fitted on.
        loss_before: log loss on those rows with temperature 1.
        loss_after: log loss with ``value``.

    """

    value: float = 1.0
    n: int = 0
    loss_before: float | None = None
    loss_after: float | None = None

    def apply(self, probabilities: ArrayLike) -> Array:
        """Return scaled probabilities (b, c)."""
        return _softmax(_logs(probabilities) / self.value)

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-safe fields."""
        return asdict(self)


def fit_temperature(probabilities: ArrayLike, target: ArrayLike, *, steps: int = 60) -> Temperature:
    """Find the temperature of least log loss, in 0.05 … 20.

    The loss is convex in 1 / temperature: Newton's method, kept between the ends by bisection.

    Args:
        probabilities: (b, c), rows summing to 1 (of logits, take the softmax first).
        target: (b,) class codes.
        steps: at most so many.

    Raises:
        DataError: no rows, or shapes that do not match.

    References:
        Guo, Pleiss, Sun, Weinberger (2017), arXiv:1706.04599.

    """
    logs, y = _logs(probabilities), np.asarray(target, dtype=np.int64)
    if not len(y) or len(logs) != len(y):
        raise DataError(
            f"{len(logs)} predictions and {len(y)} targets", "as many of both, at least one", "Check calibration rows"
        )
    low, high, inverse = 1 / _HIGH, 1 / _LOW, 1.0
    for _ in range(steps):
        slope, curve = _slopes(logs, y, inverse)
        low, high = (inverse, high) if slope < 0 else (low, inverse)
        step = inverse - slope / curve if curve > 0 else low
        following = step if low < step < high else 0.5 * (low + high)
        if abs(following - inverse) < 1e-12:
            break
        inverse = following
    return Temperature(float(1 / inverse), len(y), _loss(logs, y, 1.0), _loss(logs, y, inverse))


def _slopes(logs: Array, y: NDArray[np.int64], inverse: float) -> tuple[float, float]:
    p = _softmax(logs * inverse)
    mean = (p * logs).sum(axis=1)
    slope = float((mean - logs[np.arange(len(y)), y]).mean())
    return slope, float(((p * logs**2).sum(axis=1) - mean**2).mean())


def _loss(logs: Array, y: NDArray[np.int64], inverse: float) -> float:
    return float(-np.log(np.maximum(_softmax(logs * inverse)[np.arange(len(y)), y], CLIP)).mean())


def _logs(probabilities: ArrayLike) -> Array:
    logs: Array = np.log(np.clip(np.asarray(probabilities, dtype=np.float64), 1e-12, 1.0))
    return logs


def _softmax(logs: Array) -> Array:
    raised = np.exp(logs - logs.max(axis=1, keepdims=True))
    p: Array = raised / raised.sum(axis=1, keepdims=True)
    return p
