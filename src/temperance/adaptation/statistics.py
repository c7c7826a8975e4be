"""Centre and spread of recent inputs, and rows moved back to the usual ones."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from temperance.monitoring import channels
from temperance.monitoring.reference import Arrays
from temperance.records.schema import Rows, Schema

HORIZON = 512  # rows that say what is usual now
LEAST = 128
EVERY = 16  # rows between two looks: the quantiles of a request of one row would cost more than its answer
MOVED, WIDER = 0.5, 1.6  # usual spreads, ratio of spreads: from there on a column is moved back
STRANGE = 4.0  # ratio of spreads from which it is no longer the same unit


class Column(NamedTuple):
    """What has become of one numeric column.

    Attributes:
        name: of the column.
        shift: from the usual median, in usual spreads.
        ratio: spread now over the usual spread.
        strange: the middle of what comes lies where the reference has no row at all, or the spread is another by a
            factor of 4 or more: a unit or a sensor, hardly other cases.

    """

    name: str
    shift: float
    ratio: float
    strange: bool


class Statistics:
    """Follows the last ``HORIZON`` rows of a table's numeric columns.

    A column counts as moved from half a usual spread, or a spread 1.6 times wider or narrower, after 128 rows. Aligned:
    x′ = (x − median now) · usual spread / spread now + usual median; median and spread (10 % to 90 %) do not mind
    single wild values.

    Args:
        reference: arrays of ``monitoring.reference.build``.
        schema: columns of the rows; texts and images have none that can be moved back.

    """

    def __init__(self, reference: Arrays, schema: Schema) -> None:
        self.schema = schema
        self.width = len(schema.numeric) if schema.kind == "table" else 0
        quantiles = reference["quantiles"][: self.width]
        self.low, self.centre, self.high = quantiles[:, 0], quantiles[:, 5], quantiles[:, 10]
        self.spread = quantiles[:, 9] - quantiles[:, 1]
        self.names = channels.numeric_names(schema)[: self.width]
        self.held = np.empty((0, self.width))
        self.moved: tuple[Column, ...] = ()
        self._now = np.array([self.centre, self.spread])
        self._found: NDArray[np.float64] | None = None
        self._new = 0  # rows since the last look

    def observe(self, rows: Rows) -> None:
        """Take rows, in order of arrival."""
        if not self.width:
            return
        self.held = np.concatenate([self.held, rows.numeric])[-HORIZON:]
        self._new += rows.size
        if len(self.held) >= LEAST and self._new >= EVERY:
            self._new = 0
            self._look()

    def _look(self) -> None:
        found = np.full((3, self.width), np.nan)
        seen = np.where(np.isfinite(self.held), self.held, np.nan)
        told = np.isfinite(seen).sum(axis=0) >= LEAST / 2
        found[:, told] = np.nanquantile(seen[:, told], (0.1, 0.5, 0.9), axis=0)
        self._judge(found)

    def _judge(self, found: NDArray[np.float64]) -> None:
        """Say which columns have moved, from their quantiles (3, columns)."""
        self._found, self._now = found, np.array([found[1], found[2] - found[0]])
        with np.errstate(divide="ignore", invalid="ignore"):
            shift = (found[1] - self.centre) / (self.spread / 2.563)
            ratio = self._now[1] / self.spread
        known = (self.spread > 0) & np.isfinite(shift) & (self._now[1] > 0)
        off = known & ((np.abs(shift) > MOVED) | (ratio > WIDER) | (ratio < 1 / WIDER))
        away = (found[1] > self.high) | (found[1] < self.low) | (ratio > STRANGE) | (ratio < 1 / STRANGE)
        self.moved = tuple(
            Column(self.names[j], float(shift[j]), float(ratio[j]), bool(away[j])) for j in np.flatnonzero(off)
        )

    @property
    def strange(self) -> bool:
        """At least one column has moved, and all that have are strange."""
        return bool(self.moved) and all(column.strange for column in self.moved)

    def align(self, rows: Rows) -> Rows:
        """Return the rows with the moved columns back at their usual centre and spread."""
        places = [self.names.index(column.name) for column in self.moved]
        numeric = np.array(rows.numeric, dtype=np.float64)
        centre, spread = self._now[:, places]
        numeric[:, places] = (numeric[:, places] - centre) * (self.spread[places] / spread) + self.centre[places]
        return rows._replace(numeric=numeric)

    def state_dict(self) -> dict[str, NDArray[Any]]:
        """Return what changes."""
        found = np.empty((0, self.width)) if self._found is None else self._found.copy()
        return {"held": self.held.copy(), "found": found, "new": np.array(self._new)}

    def load_state_dict(self, state: dict[str, NDArray[Any]]) -> None:
        """Go on exactly where ``state_dict`` was taken."""
        self.held, self._new = np.array(state["held"]), int(state["new"])
        self._found, self.moved = None, ()
        if len(state["found"]):
            self._judge(np.array(state["found"]))
