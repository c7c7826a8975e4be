"""The grammar of the room: log probabilities and the truth go in, a ``Calibrator`` comes out.

Every calibrator is a line from "leave it" to what was fitted: ``shrunk(share)`` goes only that share of the way. The
gate uses it to go no further than the rows prove.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from temperance.evaluation.base import Array
from temperance.records.errors import DataError

LEAST = 1e-12  # calibrators see no probability below, for logarithms; the exported graph has the same floor
Codes = NDArray[np.int64]


@dataclass(frozen=True)
class Calibrator(ABC):
    """A map from probabilities to probabilities, fitted on rows that the model did not train on.

    The settings are what was fitted; the verb is ``apply``.
    """

    kind: ClassVar[str]

    @classmethod
    @abstractmethod
    def fit(cls, logs: Array, target: Codes, weight: Array | None = None) -> Self:
        """Fit on log probabilities (b, c) of at least ``LEAST``, class codes (b,) and weights (b,) of mean 1."""

    @abstractmethod
    def scores(self, logs: Array) -> Array:
        """Return calibrated log probabilities (b, c) up to a constant per row."""

    @abstractmethod
    def shrunk(self, share: float) -> Self:
        """Return the map that goes ``share`` (0 … 1) of the way from "as it is" to this one, in log probabilities."""

    def apply(self, probabilities: ArrayLike) -> Array:
        """Return calibrated probabilities (b, c)."""
        return softmax(self.scores(floored_logs(probabilities)))

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-safe fields, ``kind`` first."""
        return {"kind": self.kind, **asdict(self)}

    @classmethod
    def from_dict(cls, row: dict[str, Any]) -> Self:
        """Return what ``to_dict`` wrote."""
        return cls(**{name: _frozen(value) for name, value in row.items() if name != "kind"})


def checked(probabilities: ArrayLike, target: ArrayLike) -> tuple[Array, Codes]:
    """Return log probabilities (b, c), at least log ``LEAST``, and class codes (b,).

    Raises:
        DataError: no rows, shapes that do not match, classes that are not there, or numbers that are not finite.

    """
    p, y = np.asarray(probabilities, dtype=np.float64), np.asarray(target, dtype=np.int64)
    if p.ndim != 2 or y.ndim != 1 or not len(y) or len(p) != len(y):
        raise DataError(
            f"predictions of shape {p.shape} and targets of shape {y.shape}", "(b, c) and (b,), at least one row",
            "Check calibration rows",
        )  # fmt: skip
    if not np.isfinite(p).all() or p.min() < 0 or y.min() < 0 or y.max() >= p.shape[1]:
        raise DataError(
            "a probability is negative or not finite, or a class code is out of range",
            f"probabilities in 0 … 1 and codes 0 … {p.shape[1] - 1}", "Leave such rows out",
        )  # fmt: skip
    return floored_logs(p), y


def floored_logs(probabilities: ArrayLike) -> Array:
    """Return log max(p, ``LEAST``)."""
    logs: Array = np.log(np.clip(np.asarray(probabilities, dtype=np.float64), LEAST, 1.0))
    return logs


def log_softmax(scores: Array) -> Array:
    """Return log probabilities over the last axis."""
    lowered = scores - scores.max(axis=-1, keepdims=True)
    logs: Array = lowered - np.log(np.exp(lowered).sum(axis=-1, keepdims=True))
    return logs


def softmax(scores: Array) -> Array:
    """Return probabilities over the last axis."""
    p: Array = np.exp(log_softmax(scores))
    return p


def _frozen(value: Any) -> Any:
    return tuple(_frozen(one) for one in value) if isinstance(value, list) else value
