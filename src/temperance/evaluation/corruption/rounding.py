"""Numbers written with too few digits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from temperance.evaluation.corruption.base import Corruption, Reference
from temperance.records.schema import Rows


@final
@dataclass(frozen=True)
class Rounding(Corruption):
    """Round each measured number to a multiple of a share of its column's standard deviation."""

    name = "rounding"
    words = "numbers are rounded (to so many standard deviations of their column)"
    kind = "table"
    basic = False
    chance = False

    def levels(self, reference: Reference) -> tuple[float, ...]:
        """Return steps in standard deviations."""
        return (0.1, 0.25, 0.5, 1.0, 2.0)

    def applies(self, reference: Reference) -> bool:
        """Need a numeric column that varies."""
        return reference.schema.kind == "table" and len(reference.measured) > 0

    def corrupt(self, rows: Rows, *, level: float, reference: Reference, generator: np.random.Generator) -> Rows:
        """Return the nearest multiples of level · spread."""
        columns = reference.measured
        x = np.array(rows.numeric, dtype=np.float64)
        step = level * reference.spread[columns]
        x[:, columns] = np.rint(x[:, columns] / step) * step
        return rows._replace(numeric=x)
