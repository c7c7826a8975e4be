"""Numbers far from where they belong."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from temperance.evaluation.corruption.base import Corruption, Reference
from temperance.records.schema import Rows


@final
@dataclass(frozen=True)
class Outliers(Corruption):
    """Move single numbers by draws of Student's t with 2 degrees of freedom, times three standard deviations."""

    name = "outliers"
    words = "some numbers are far off (share of all numbers)"
    kind = "table"
    basic = False

    def levels(self, reference: Reference) -> tuple[float, ...]:
        """Return shares of numbers."""
        return (0.01, 0.02, 0.05, 0.1, 0.2)

    def applies(self, reference: Reference) -> bool:
        """Need a numeric column that varies."""
        return reference.schema.kind == "table" and len(reference.measured) > 0

    def corrupt(self, rows: Rows, *, level: float, reference: Reference, generator: np.random.Generator) -> Rows:
        """Return x + 3 · spread · t₂ in the cells hit; missing values stay missing."""
        columns = reference.measured
        x = np.array(rows.numeric, dtype=np.float64)
        shape = (len(x), len(columns))
        hit, far = generator.random(shape) < level, generator.standard_t(2, shape)
        x[:, columns] += np.where(hit, 3 * reference.spread[columns] * far, 0.0)
        return rows._replace(numeric=x)
