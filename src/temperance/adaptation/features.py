"""Inputs as plain numbers, from what the reference of a bundle says is usual."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from temperance.monitoring import channels
from temperance.monitoring.reference import Arrays
from temperance.records.schema import MISSING, Rows, Schema

MOST = 60  # numbers per row
WORDS = 6  # most frequent categories of a column that have a number of their own
REACH = 4.0  # usual spreads beyond which a number is cut off


class Features:
    """Rows → numbers (b, d): each numeric column in usual spreads from its median, cut off at ±4, and 1 for each of a
    column's most frequent categories.

    Median and spread are those of the reference (10 % to 90 %). Missing is 0. Columns beyond ``MOST`` numbers are left
    out: an expert with more of them would need more labels than come.

    Args:
        reference: arrays of ``monitoring.reference.build``.
        schema: columns of the rows.

    """

    def __init__(self, reference: Arrays, schema: Schema) -> None:
        self.schema = schema
        quantiles = reference["quantiles"][:-1]
        spread = (quantiles[:, 9] - quantiles[:, 1]) / 2.563
        spread = np.where(spread > 0, spread, (quantiles[:, 10] - quantiles[:, 0]) / 4)
        self.used = np.flatnonzero(np.isfinite(spread) & (spread > 0))[:MOST]
        self.centre, self.spread = quantiles[self.used, 5], spread[self.used]
        order = reference["order"][:-1]
        left = max(0, MOST - len(self.used)) // WORDS
        self.categories = order[:left]

    @property
    def width(self) -> int:
        """Count d."""
        return len(self.used) + WORDS * len(self.categories)

    def of(self, rows: Rows) -> NDArray[np.float64]:
        """Return the numbers (b, d) of rows."""
        numeric = channels.numbers(rows, self.schema)[:, self.used]
        found = np.nan_to_num((numeric - self.centre) / self.spread, nan=0.0, posinf=REACH, neginf=-REACH)
        parts: list[NDArray[Any]] = [np.clip(found, -REACH, REACH)]
        for j, order in enumerate(self.categories):
            codes = rows.categorical[:, j]
            known = codes > MISSING
            bins = np.where(known, order[np.where(known, codes, 0)], WORDS)
            parts.append((bins[:, None] == np.arange(WORDS)).astype(np.float64))
        return np.concatenate(parts, axis=1)
