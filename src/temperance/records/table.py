"""A data set in memory or memory-mapped: raw rows, targets and what the splits need."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from temperance.records.schema import Rows, Schema


@dataclass(frozen=True, eq=False)
class Table:
    """Rows with their targets.

    Attributes:
        schema: columns, target.
        rows: raw rows (b of them); arrays may be memory-mapped.
        target: (b,) class codes int64 (classification) or float64 values (regression).
        group: (b,) int64 codes of ``--group``, or None.
        time: (b,) float64 of ``--time`` (days since 1970-01-01, or the number itself), or None.
        name: what to call it in a report.
        fingerprint: SHA-256 of the source file or arrays.
        weight: (b,) float64 weights of the rows in training and in the losses that choose, or None: all the same.

    """

    schema: Schema
    rows: Rows
    target: NDArray[Any]
    group: NDArray[np.int64] | None = None
    time: NDArray[np.float64] | None = None
    name: str = "data"
    fingerprint: str = ""
    weight: NDArray[np.float64] | None = None

    def __len__(self) -> int:
        return len(self.target)

    def guides(self, index: NDArray[Any]) -> dict[str, Any]:
        """Return what a calibrator must know of these rows: ``sample_weight`` and ``groups``, (b,) each or None."""
        return {
            "sample_weight": None if self.weight is None else self.weight[index],
            "groups": None if self.group is None else self.group[index],
        }

    def take(self, index: NDArray[Any]) -> Table:
        """Select rows; the result is in memory."""
        return Table(
            self.schema,
            self.rows.take(index),
            self.target[index],
            None if self.group is None else self.group[index],
            None if self.time is None else self.time[index],
            self.name,
            self.fingerprint,
            None if self.weight is None else self.weight[index],
        )
