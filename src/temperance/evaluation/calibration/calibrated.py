"""A predictor whose probabilities are calibrated, or whose values have an interval."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from numpy.typing import NDArray

from temperance.evaluation.calibration.base import Calibrator
from temperance.evaluation.calibration.identity import Identity
from temperance.records.decision import Decision
from temperance.records.predictor import Predictor
from temperance.records.schema import Rows, Schema
from temperance.records.stated_range import LEVEL, StatedRange


@dataclass(frozen=True, eq=False)
class Calibrated:
    """Another predictor's probabilities after a calibrator; or its values, with ``band`` around them.

    ``decision`` says how probabilities become answers; None: the most probable class.
    """

    inner: Predictor
    calibrator: Calibrator = field(default_factory=Identity)
    band: StatedRange | None = None
    decision: Decision | None = None

    @property
    def schema(self) -> Schema:
        """Columns and target of the inner predictor."""
        return self.inner.schema

    def predict(self, rows: Rows) -> NDArray[Any]:
        """Return calibrated probabilities (b, c), or the inner values (b,)."""
        answer = self.inner.predict(rows)
        return answer if answer.ndim == 1 else self.calibrator.apply(answer)

    def interval(self, rows: Rows, *, level: float | None = None) -> tuple[NDArray[Any], NDArray[Any]] | None:
        """Return (low, high), each (b,), at a level or the band's own; None where there is no ``band``.

        Raises:
            BundleError: the band has no width for this level.

        """
        return None if self.band is None else self.band.bounds(self.inner.predict(rows), level)

    @property
    def coverage(self) -> float:
        """Share of rows that ``low`` … ``high`` is meant to hold."""
        return LEVEL if self.band is None else self.band.level
