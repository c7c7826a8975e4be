"""Dates that are off: a time zone, a late entry, a wrong month."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from temperance.evaluation.corruption.base import Corruption, Reference
from temperance.records.moments import date_part
from temperance.records.schema import Rows


@final
@dataclass(frozen=True)
class DateOffset(Corruption):
    """Move every date by the same time, forward or back per row; month, weekday and hour follow."""

    name = "dates"
    words = "dates are off (days)"
    kind = "table"
    basic = False

    def levels(self, reference: Reference) -> tuple[float, ...]:
        """Return days: an hour, half a day, a day, a week, a month."""
        return (1 / 24, 0.5, 1.0, 7.0, 30.0)

    def applies(self, reference: Reference) -> bool:
        """Need the day of a date."""
        return any(c.part == "days" for c in reference.schema.numeric)

    def corrupt(self, rows: Rows, *, level: float, reference: Reference, generator: np.random.Generator) -> Rows:
        """Return rows whose dates lie ``level`` days earlier or later."""
        x = np.array(rows.numeric, dtype=np.float64)
        away = level * np.where(generator.random(rows.size) < 0.5, -1.0, 1.0)
        numeric, sources = reference.schema.numeric, reference.sources[0]
        for j, column in enumerate(numeric):
            if column.part != "days":
                continue
            moved = x[:, j] + away
            for k, other in enumerate(numeric):
                if sources[k] == sources[j] and other.part and not other.part.startswith("has "):
                    x[:, k] = date_part(moved, other.part)
        return rows._replace(numeric=x)
