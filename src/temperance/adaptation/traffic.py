"""What experts see of served rows: the source model's answers, its members' answers, inputs as plain numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from temperance.adaptation.base import State
from temperance.records.errors import DataError

FLOOR = 1e-6  # smallest probability that is taken for the logarithm
Array = NDArray[np.float64]


class Traffic(NamedTuple):
    """Served rows, in order of arrival.

    Shapes: answers (b, c) probabilities or (b,) values of the source model · members (b, k, c) or (b, k) of its
    members, or None · features (b, d) of ``Features``, or None · aligned: like answers, of the source model on inputs
    that were moved back to their usual centre and spread, or None.
    """

    answers: NDArray[Any]
    members: NDArray[Any] | None = None
    features: NDArray[Any] | None = None
    aligned: NDArray[Any] | None = None

    def take(self, index: Any) -> Traffic:
        """Select rows by an integer array, a mask or a slice."""
        return Traffic(*(None if part is None else part[index] for part in self))  # type: ignore[arg-type]

    @classmethod
    def stack(cls, parts: Sequence[Traffic]) -> Traffic:
        """Return the rows of all parts, one after the other; the parts hold the same kinds of numbers."""
        found = zip(*parts, strict=True)
        joined = (None if any(part is None for part in one) else np.concatenate(one) for one in found)
        return cls(*joined)  # type: ignore[arg-type]

    @property
    def size(self) -> int:
        """Count of rows."""
        return len(self.answers)


@dataclass(frozen=True, eq=False)
class Setting:
    """What the experts know before the first row.

    Attributes:
        classes: count c; 0 for a model of values.
        features: count d of input numbers; 0 where there are none.
        shares: weights (k,) of the members in the source model's answer, summing to 1; None where they are not known.
        centre: mean of the target in the reference (values).
        scale: its standard deviation, above 0 (values); 1 for classes.
        error: mean squared error of the source model in the reference, in units of ``scale``² (values).
        reference: arrays of ``monitoring.reference.build``.

    """

    classes: int
    features: int = 0
    shares: Array | None = None
    centre: float = 0.0
    scale: float = 1.0
    error: float = 1.0
    reference: State | None = None

    @classmethod
    def of(cls, reference: State, *, features: int = 0, shares: Sequence[float] | None = None) -> Setting:
        """Read it from the reference of a bundle.

        Raises:
            DataError: the reference was built without targets, or the shares are not weights.

        """
        if "sample_target" not in reference:
            raise DataError("the reference holds no targets", "one built with target=", "Export with labels")
        weights = None if shares is None else np.asarray(shares, dtype=np.float64)
        if weights is not None and not (weights.ndim == 1 and (weights > 0).all() and abs(weights.sum() - 1) < 1e-6):
            raise DataError(
                "the shares of the members are no weights", "above 0, summing to 1", "Give them as exported"
            )
        sample, target = reference["sample"], np.asarray(reference["sample_target"], dtype=np.float64)
        if sample.ndim == 2:
            return cls(sample.shape[1], features, weights, reference=reference)
        scale = float(target.std()) or 1.0
        error = float((((sample - target) / scale) ** 2).mean())
        return cls(0, features, weights, float(target.mean()), scale, max(error, 1e-6), reference)


def logs(probabilities: NDArray[Any]) -> Array:
    """Return log-probabilities, at least log ``FLOOR``, with mean 0 over the last axis.

    Shapes: (…, c) → (…, c).
    """
    found = np.log(np.maximum(np.asarray(probabilities, dtype=np.float64), FLOOR))
    return np.asarray(found - found.mean(axis=-1, keepdims=True))


def softmax(scores: Array) -> Array:
    """Return exp(s) / Σ exp(s) over the last axis, (…, c)."""
    raised = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=-1, keepdims=True))
