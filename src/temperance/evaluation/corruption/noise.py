"""Measuring noise on numeric columns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from temperance.evaluation.corruption.base import Corruption, Reference
from temperance.records.schema import Rows


@final
@dataclass(frozen=True)
class Noise(Corruption):
    """Add normal noise to every measured number, in units of its column's standard deviation."""

    name = "noise"
    words = "every number is a little off (in standard deviations of its column)"
    kind = "table"

    def levels(self, reference: Reference) -> tuple[float, ...]:
        """Return standard deviations."""
        return (0.05, 0.1, 0.25, 0.5, 1.0)

    def applies(self, reference: Reference) -> bool:
        """Need a numeric column that varies."""
        return reference.schema.kind == "table" and len(reference.measured) > 0

    def corrupt(self, rows: Rows, *, level: float, reference: Reference, generator: np.random.Generator) -> Rows:
        """Return x + level · spread · z; missing values stay missing."""
        columns = reference.measured
        x = np.array(rows.numeric, dtype=np.float64)
        x[:, columns] += level * reference.spread[columns] * generator.standard_normal((len(x), len(columns)))
        return rows._replace(numeric=x)
