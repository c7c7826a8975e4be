"""A number in the wrong unit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from temperance.evaluation.corruption.base import Corruption, Reference
from temperance.records.schema import Rows


@final
@dataclass(frozen=True)
class UnitError(Corruption):
    """Multiply one numeric value of each row, in a column drawn at random per row.

    A model treats rows one by one, so the mean over rows equals the mean over columns of a mistake in the whole
    column, with less chance in it than any single column would have.
    """

    name = "unit_error"
    words = "one number is in the wrong unit (times so much)"
    kind = "table"

    def levels(self, reference: Reference) -> tuple[float, ...]:
        """Return factors."""
        return (1.1, 2.0, 10.0, 100.0, 1000.0)

    def applies(self, reference: Reference) -> bool:
        """Need a numeric column that varies."""
        return reference.schema.kind == "table" and len(reference.measured) > 0

    def corrupt(self, rows: Rows, *, level: float, reference: Reference, generator: np.random.Generator) -> Rows:
        """Return rows with one number each multiplied by ``level``."""
        column = generator.choice(reference.measured, size=rows.size)
        x = np.array(rows.numeric, dtype=np.float64)
        x[np.arange(len(x)), column] *= level
        return rows._replace(numeric=x)
