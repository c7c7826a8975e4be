"""Values that are missing for a reason: because of another column, or because of what they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from temperance.evaluation.base import Array
from temperance.evaluation.cells import Cells, blank
from temperance.evaluation.corruption.base import Corruption, Reference
from temperance.records.schema import Rows

_LEVELS = (0.05, 0.1, 0.2, 0.3, 0.5)


@final
@dataclass(frozen=True)
class MissingByColumn(Corruption):
    """Missing at random: cells are blank in the rows whose value of one other number, drawn per batch, is large."""

    name = "missing_by_column"
    words = "some values are not there where another value is large (share of all cells)"
    kind = "table"
    basic = False

    def levels(self, reference: Reference) -> tuple[float, ...]:
        """Return shares of cells."""
        return _LEVELS

    def applies(self, reference: Reference) -> bool:
        """Need a number that varies, and another column."""
        return reference.schema.kind == "table" and len(reference.measured) > 0 and reference.columns > 1

    def corrupt(self, rows: Rows, *, level: float, reference: Reference, generator: np.random.Generator) -> Rows:
        """Return rows with chances of a gap that rise with the driving column's rank; that column stays whole."""
        driver = int(generator.choice(reference.measured))
        drawn = generator.random((rows.size, reference.columns))
        hit = drawn < _chance(rows.numeric[:, driver], level)[:, None]
        hit[:, reference.sources[0][driver]] = False
        return blank(rows, Cells(*(hit[:, source] for source in reference.sources)))


@final
@dataclass(frozen=True)
class MissingByValue(Corruption):
    """Missing not at random: a number is blank the more often, the larger it is itself (incomes are kept back)."""

    name = "missing_by_value"
    words = "large numbers are not there more often than small ones (share of all numbers)"
    kind = "table"
    basic = False

    def levels(self, reference: Reference) -> tuple[float, ...]:
        """Return shares of numbers."""
        return _LEVELS

    def applies(self, reference: Reference) -> bool:
        """Need a number that varies."""
        return reference.schema.kind == "table" and len(reference.measured) > 0

    def corrupt(self, rows: Rows, *, level: float, reference: Reference, generator: np.random.Generator) -> Rows:
        """Return rows with chances of a gap that rise with each number's own rank in its column."""
        x = np.array(rows.numeric, dtype=np.float64)
        drawn = generator.random((rows.size, len(reference.measured)))
        for k, j in enumerate(reference.measured):
            x[:, j] = np.where(drawn[:, k] < _chance(x[:, j], level), np.nan, x[:, j])
        return rows._replace(numeric=x)


def _chance(values: Array, level: float) -> Array:
    """Return 2 · level · rank, ranks from 0 to 1 and of mean ½, up to 1; a missing value has the middle rank."""
    rank = np.full(len(values), 0.5)
    known = np.flatnonzero(np.isfinite(values))
    if len(known) > 1:
        unique, place = np.unique(values[known], return_inverse=True)
        count = np.bincount(place)
        middle = np.cumsum(count) - (count + 1) / 2  # ties share their mean rank
        rank[known] = middle[place] / (len(known) - 1) if len(unique) > 1 else 0.5
    found: Array = np.minimum(2 * level * rank, 1.0)
    return found
