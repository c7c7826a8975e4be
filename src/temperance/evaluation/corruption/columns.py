"""Columns that went wrong as a whole: stuck at one value, or one in the place of another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from temperance.evaluation.cells import Cells, taken
from temperance.evaluation.corruption.base import Corruption, Reference
from temperance.records.schema import Rows


@final
@dataclass(frozen=True)
class Stuck(Corruption):
    """A share of the file's columns gives one row's value in every row, as a broken sensor or a frozen form does."""

    name = "stuck"
    words = "some columns say the same in every row (share of columns, at least one)"
    kind = "table"
    basic = False

    def levels(self, reference: Reference) -> tuple[float, ...]:
        """Return shares of columns."""
        return (0.0, 0.1, 0.2, 0.35, 0.5)

    def applies(self, reference: Reference) -> bool:
        """Need a column of numbers, categories or text."""
        return reference.schema.kind == "table" and any(len(part) for part in reference.sources)

    def corrupt(self, rows: Rows, *, level: float, reference: Reference, generator: np.random.Generator) -> Rows:
        """Return rows in which the columns hit hold the value of one random row."""
        order = generator.permutation(reference.columns)
        hit = np.zeros(reference.columns, dtype=bool)
        hit[order[: max(1, round(level * len(order)))]] = True
        donor = int(generator.integers(max(rows.size, 1)))
        others = rows.take(np.full(rows.size, donor))
        return taken(rows, others, Cells(*(hit[source] for source in reference.sources)))


@final
@dataclass(frozen=True)
class SwappedColumns(Corruption):
    """Two numeric columns change places, in a share of the rows: a form filled in the wrong order."""

    name = "swapped_columns"
    words = "two columns of numbers have changed places (share of rows)"
    kind = "table"
    basic = False

    def levels(self, reference: Reference) -> tuple[float, ...]:
        """Return shares of rows."""
        return (0.05, 0.1, 0.25, 0.5, 1.0)

    def applies(self, reference: Reference) -> bool:
        """Need two numeric columns that vary."""
        return reference.schema.kind == "table" and len(reference.measured) > 1

    def corrupt(self, rows: Rows, *, level: float, reference: Reference, generator: np.random.Generator) -> Rows:
        """Return rows with two numbers of each row hit exchanged; the pair is drawn per row."""
        x = np.array(rows.numeric, dtype=np.float64)
        count = len(reference.measured)
        first = generator.integers(0, count, size=rows.size)
        second = (first + generator.integers(1, count, size=rows.size)) % count
        hit = np.flatnonzero(generator.random(rows.size) < level)
        a, b = reference.measured[first[hit]], reference.measured[second[hit]]
        x[hit, a], x[hit, b] = x[hit, b], x[hit, a]
        return rows._replace(numeric=x)
