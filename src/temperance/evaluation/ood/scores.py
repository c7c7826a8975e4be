"""Six scores of strangeness: the larger, the less a row is like those that the model knows.

Logits z (b, c); features h (b, d) of the last layer before them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from temperance.evaluation.base import Array
from temperance.records.errors import DataError

NEIGHBOURS = 50
_CHUNK = 512


def softmax(logits: Array) -> Array:
    """Return probabilities, (b, c) → (b, c)."""
    away = np.exp(logits - logits.max(axis=1, keepdims=True))
    found: Array = away / away.sum(axis=1, keepdims=True)
    return found


def msp(logits: Array) -> Array:
    """Return minus the probability of the most probable class, (b, c) → (b,). Hendrycks and Gimpel (2017)."""
    found: Array = -softmax(logits).max(axis=1)
    return found


def max_logit(logits: Array) -> Array:
    """Return minus the largest logit, (b, c) → (b,). Hendrycks et al. (2022), arXiv:1911.11132."""
    found: Array = -logits.max(axis=1)
    return found


def energy(logits: Array) -> Array:
    """Return −log Σ exp z, (b, c) → (b,). Liu et al. (2020), arXiv:2010.03759, at temperature 1."""
    top = logits.max(axis=1)
    found: Array = -(top + np.log(np.exp(logits - top[:, None]).sum(axis=1)))
    return found


def entropy(logits: Array) -> Array:
    """Return −Σ p log p in nats, (b, c) → (b,)."""
    p = softmax(logits)
    found: Array = -(p * np.log(np.where(p > 0, p, 1.0))).sum(axis=1)
    return found


LOGIT_SCORES: dict[str, Callable[[Array], Array]] = {
    "MSP": msp,
    "max-logit": max_logit,
    "energy": energy,
    "entropy": entropy,
}


@dataclass(frozen=True, eq=False)
class Mahalanobis:
    """Distance to the nearest class mean under one covariance of all classes. Lee et al. (2018), arXiv:1807.03888.

    Attributes:
        means: (c, d) of the classes that were seen.
        precision: (d, d), the pseudo-inverse of the covariance within classes, in float64.

    """

    means: Array
    precision: Array

    @classmethod
    def fit(cls, features: Array, y: NDArray[np.int64]) -> Mahalanobis:
        """Fit on rows that the model knows.

        Shapes: features (n, d), y (n,), one class for values.

        Raises:
            DataError: fewer than two rows.

        """
        if len(features) < 2:
            raise DataError(f"{len(features)} rows to compare with", "at least two", "Give more rows")
        classes = np.unique(y)
        means = np.stack([features[y == one].mean(axis=0) for one in classes])
        away = features - means[np.searchsorted(classes, y)]
        return cls(means, np.linalg.pinv(away.T @ away / len(features), hermitian=True))

    def __call__(self, features: Array) -> Array:
        """Return the squared distance to the nearest mean, (b, d) → (b,)."""
        distances = []
        for mean in self.means:
            away = features - mean
            distances.append(np.einsum("bi,ij,bj->b", away, self.precision, away, optimize=True))
        found: Array = np.min(distances, axis=0)
        return found


@dataclass(frozen=True, eq=False)
class Neighbours:
    """Distance to the k-th nearest known row, features brought to length 1. Sun et al. (2022), arXiv:2204.06507.

    Attributes:
        known: (n, d), each of length 1.
        k: which neighbour, at most n.

    """

    known: Array
    k: int

    @classmethod
    def fit(cls, features: Array, *, k: int = NEIGHBOURS) -> Neighbours:
        """Keep the rows that the model knows, (n, d).

        Raises:
            DataError: no rows.

        """
        if not len(features):
            raise DataError("no rows to compare with", "at least one", "Give more rows")
        return cls(_unit(features), min(k, len(features)))

    def __call__(self, features: Array) -> Array:
        """Return the distance to the k-th nearest known row, (b, d) → (b,)."""
        out = []
        for start in range(0, len(features), _CHUNK):
            part = _unit(features[start : start + _CHUNK])
            square = np.maximum(2.0 - 2.0 * part @ self.known.T, 0.0)  # both sides have length 1
            out.append(np.sqrt(np.partition(square, self.k - 1, axis=1)[:, self.k - 1]))
        return np.concatenate(out) if out else np.zeros(0)


def _unit(features: Array) -> Array:
    length = np.sqrt(np.square(features).sum(axis=1, keepdims=True))
    found: Array = features / np.maximum(length, 1e-12)
    return found
