"""Cells that belong to another row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from temperance.evaluation.cells import Cells, taken
from temperance.evaluation.corruption.base import Corruption, Reference
from temperance.records.schema import Rows


@final
@dataclass(frozen=True)
class Swap(Corruption):
    """Replace cells by the same column's value in another row: every column keeps its values, rows lose their sense."""

    name = "swap"
    words = "some values belong to another row (share of all cells)"
    kind = "table"

    def levels(self, reference: Reference) -> tuple[float, ...]:
        """Return shares of cells."""
        return (0.05, 0.1, 0.2, 0.3, 0.5)

    def corrupt(self, rows: Rows, *, level: float, reference: Reference, generator: np.random.Generator) -> Rows:
        """Return rows in which each cell hit holds a value of a random row."""
        shape = (rows.size, reference.columns)
        hit, donor = generator.random(shape) < level, generator.integers(0, max(rows.size, 1), size=shape)
        numeric, categorical, text = reference.sources
        others = rows._replace(
            numeric=np.take_along_axis(rows.numeric, donor[:, numeric], 0),
            categorical=np.take_along_axis(rows.categorical, donor[:, categorical], 0),
            text=None if rows.text is None else np.take_along_axis(rows.text, donor[:, text], 0),
        )
        return taken(rows, others, Cells(hit[:, numeric], hit[:, categorical], hit[:, text]))
