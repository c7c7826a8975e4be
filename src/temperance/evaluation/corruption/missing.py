"""Values that are not there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from temperance.evaluation.cells import Cells, blank
from temperance.evaluation.corruption.base import Corruption, Reference
from temperance.records.schema import Rows


@final
@dataclass(frozen=True)
class Missing(Corruption):
    """Blank cells completely at random; the parts of one date go together."""

    name = "missing"
    words = "some values are not there (share of all cells)"
    kind = "table"

    def levels(self, reference: Reference) -> tuple[float, ...]:
        """Return shares of cells."""
        return (0.05, 0.1, 0.2, 0.3, 0.5)

    def corrupt(self, rows: Rows, *, level: float, reference: Reference, generator: np.random.Generator) -> Rows:
        """Return rows with NaN, the code of a missing category, or no text in the cells hit."""
        hit = generator.random((rows.size, reference.columns)) < level
        return blank(rows, Cells(*(hit[:, source] for source in reference.sources)))
