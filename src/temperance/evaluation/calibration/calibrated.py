"""A predictor whose probabilities are calibrated, or whose values have an interval."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from temperance.evaluation.calibration.base import Calibrator
from temperance.evaluation.calibration.identity import Identity
from temperance.records.decision import Decision
from temperance.records.predictor import Predictor
from temperance.records.schema import Rows, Schema


@dataclass(frozen=True, eq=False)
class Calibrated:
    """Another predictor's probabilities after a calibrator. Values of a regression pass through, with ± half.

    ``decision`` says how probabilities become answers; None: the most probable class.
    """

    inner: Predictor
    calibrator: Calibrator = field(default_factory=Identity)
    half: float | None = None
    decision: Decision | None = None

    @property
    def schema(self) -> Schema:
        """Columns and target of the inner predictor."""
        return self.inner.schema

    def predict(self, rows: Rows) -> NDArray[Any]:
        """Return calibrated probabilities (b, c), or the inner values (b,)."""
        answer = self.inner.predict(rows)
        return answer if answer.ndim == 1 else self.calibrator.apply(answer)

    def interval(self, rows: Rows) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return (low, high), each (b,); NaN where ``half`` is not set."""
        values = self.inner.predict(rows)
        width = np.nan if self.half is None else self.half
        return values - width, values + width
