"""Does the model know these rows? What it learned from is told apart before anything is measured."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from temperance.evaluation.aspects.base import Subject
from temperance.records.errors import DataError
from temperance.records.row_marks import RowMarks
from temperance.records.table import Table

FEW = 30  # rows that must be left before figures without the learned rows stand alone


@dataclass(frozen=True, eq=False)
class OwnRows:
    """Which rows of a table a model was made from.

    Attributes:
        known: whether the model could say.
        learned: (b,) it learned from this row.
        tested: (b,) it was measured on this row when it was made.
        share: part of its training rows that is marked; below 1 there may be more.
        repeated: share of its training rows that are copies of another: so many matches chance alone gives.
        why: why it could not say, or empty.

    """

    known: bool
    learned: NDArray[np.bool_]
    tested: NDArray[np.bool_]
    share: float = 1.0
    repeated: float = 0.0
    why: str = ""

    @property
    def unseen(self) -> NDArray[np.int64]:
        """Row numbers that it did not learn from; all where it learned from all of them."""
        if self.learned.all():
            return np.arange(len(self.learned))
        return np.flatnonzero(~self.learned)

    @property
    def all_learned(self) -> bool:
        """Every row is one that it learned from: no honest figure can be given."""
        return bool(self.learned.all())

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-safe fields."""
        return {
            "known": self.known, "learned": int(self.learned.sum()), "tested": int(self.tested.sum()),
            "rows": len(self.learned), "marked_share": self.share, "repeated": self.repeated, "why": self.why,
        }  # fmt: skip

    def sentences(self) -> list[str]:
        """Say what was found, in words."""
        if not self.known:
            return [f"Whether the model learned from these rows is not known: {self.why}."]
        n, learned, tested = len(self.learned), int(self.learned.sum()), int(self.tested.sum())
        out = []
        least = "At least " if self.share < 1 else ""
        if self.all_learned:
            out.append(
                f"All {n:,} rows are rows that the model learned from. The figures say how well it remembers them, not "
                "how well it does on new rows: give rows that it has not seen."
            )
        elif learned:
            left = n - learned
            out.append(
                f"{least}{learned:,} of {n:,} rows are rows that the model learned from. The figures below are of the "
                f"other {left:,}."
            )
            if left < FEW:
                out.append(f"{left} rows are too few to say much.")
        if learned and self.repeated >= 0.01:
            out.append(
                f"Among its training rows themselves {100 * self.repeated:.0f} of 100 are copies of another row, so "
                "some of these may be new rows that look the same."
            )
        if tested:
            out.append(
                f"{tested:,} of {n:,} rows are its own test rows: it did not learn from them, but it was already "
                "measured on them when it was made."
            )
        if not learned and not tested:
            out.append(f"None of the {n:,} rows is one that the model was made from.")
        return out


def own_rows(subject: Subject, table: Table) -> OwnRows:
    """Tell the rows apart that a model learned from."""
    none = np.zeros(len(table), dtype=bool)
    if subject.training is None:
        return OwnRows(False, none, none, why=subject.why_not("training_rows"))
    return of_marks(subject.training, table)


def of_marks(marks: RowMarks, table: Table) -> OwnRows:
    """Tell the rows apart that stand behind ``marks``; what ``retrain`` asks of its champion."""
    none = np.zeros(len(table), dtype=bool)
    try:
        seen = marks.seen(table.rows, table.schema, table.target)
    except DataError as fault:
        return OwnRows(False, none, none, why=fault.received)
    return OwnRows(True, seen.learned, seen.tested, marks.share, marks.repeated)
