"""No calibration: what the gate takes when the rows do not prove that another map helps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self, final

import numpy as np
from numpy.typing import ArrayLike

from temperance.evaluation.base import Array
from temperance.evaluation.calibration.base import Calibrator, Codes


@final
@dataclass(frozen=True)
class Identity(Calibrator):
    """Probabilities as they are."""

    kind = "identity"

    @classmethod
    def fit(cls, logs: Array, target: Codes, weight: Array | None = None) -> Self:
        """Learn nothing."""
        return cls()

    def scores(self, logs: Array) -> Array:
        """Return ``logs``."""
        return logs

    def shrunk(self, share: float) -> Self:
        """Return the same."""
        return self

    def apply(self, probabilities: ArrayLike) -> Array:
        """Return the probabilities, also those below the floor of other calibrators."""
        return np.asarray(probabilities, dtype=np.float64)
