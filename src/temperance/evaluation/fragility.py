"""Which column the answers hang on: what happens when one column is in the wrong unit, or not there at all."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from temperance.evaluation.base import Array, answered, clustered_wilson
from temperance.evaluation.cells import Cells, blank
from temperance.evaluation.corruption.base import Reference, reference
from temperance.evaluation.prediction import check_index, predict
from temperance.records.measurement import Measurement
from temperance.records.predictor import Predictor
from temperance.records.schema import Rows
from temperance.records.statistics import mean_interval, pool_groups
from temperance.records.table import Table

FACTOR = 10.0
_CONVENTIONS = {
    True: "share of answers that change; Wilson interval",
    False: "mean change of the prediction, in standard deviations of the target; Student interval",
}


@dataclass(frozen=True)
class Fragility:
    """What one column of the file does to the answers.

    Attributes:
        column: name in the file.
        missing: change when the column is blank in every row.
        unit_error: change when it is ten times too large in every row; None unless it is a measured number.

    """

    column: str
    missing: Measurement
    unit_error: Measurement | None = None

    @property
    def worst(self) -> float:
        """The larger of the two changes."""
        return max(self.missing.value, self.unit_error.value if self.unit_error else 0.0)

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-safe fields."""
        return {
            "column": self.column,
            "missing": self.missing.to_dict(),
            "unit_error": None if self.unit_error is None else self.unit_error.to_dict(),
        }


def fragility(
    predictor: Predictor,
    table: Table,
    index: NDArray[Any] | None = None,
    *,
    limit: int = 300,
    columns: int = 100,
    seed: int = 0,
    budget_seconds: float | None = None,
) -> tuple[tuple[Fragility, ...], tuple[tuple[str, str], ...]]:
    """Damage one column at a time and return the columns, the most fragile first, and what was left out.

    Shapes: index (n,).

    Args:
        predictor: the model with its preprocessing.
        table: where the rows are; images have no columns, and give nothing.
        index: rows, all by default; above ``limit`` a random part of them.
        limit: at most so many rows.
        columns: at most so many columns of the file, in file order.
        seed: of the choice of rows.
        budget_seconds: stop after so long.

    Raises:
        DataError: no rows.

    """
    start = time.perf_counter()
    rows = check_index(table, index)
    if len(rows) > limit:
        rows = np.sort(np.random.default_rng([seed, 0xF4A6]).choice(rows, size=limit, replace=False))
    clean = table.rows.take(rows)
    facts = reference(table.schema, clean)
    asked = _Asked(predictor, table, rows, clean)
    names = list(dict.fromkeys(c.source or c.name for c in table.schema.columns))
    found: list[Fragility] = []
    left: list[tuple[str, str]] = []
    for number, name in enumerate(names):
        if number >= columns:
            left.append((f"fragility: {len(names) - number} columns from {name!r} on", f"only {columns} are looked at"))
            break
        if budget_seconds is not None and time.perf_counter() - start > budget_seconds:
            left.append((f"fragility: {len(names) - number} columns from {name!r} on", "no time left"))
            break
        blank, large = _blank(clean, facts, number), _enlarged(clean, facts, number)
        found.append(
            Fragility(
                name,
                asked.change(f"fragility/missing/{name}", blank),
                None if large is None else asked.change(f"fragility/unit_error/{name}", large),
            )
        )
    return tuple(sorted(found, key=lambda f: -f.worst)), tuple(left)


class _Asked:
    """The predictor with its answers to the clean rows."""

    def __init__(self, predictor: Predictor, table: Table, rows: NDArray[np.int64], clean: Rows) -> None:
        self.predictor, self.n = predictor, clean.size
        self.classes = table.schema.target.task != "regression"
        self.groups = None if table.group is None else table.group[rows]
        self.decision, self.ordered = getattr(predictor, "decision", None), table.schema.target.ordered
        self.before: Array = predict(predictor, table, rows)
        spread = 0.0 if self.classes else float(np.std(table.target[rows]))
        self.spread = spread if spread > 0 else 1.0

    def _answered(self, chances: Array) -> NDArray[np.int64]:
        return answered(chances, self.decision, ordered=self.ordered)

    def change(self, name: str, damaged: Rows) -> Measurement:
        """Predict damaged rows and measure how far the answers moved; one that is not finite counts as changed."""
        with np.errstate(all="ignore"):
            after = np.asarray(self.predictor.predict(damaged), dtype=np.float64)
        if self.classes:
            sound = np.isfinite(after).all(axis=1)
            moved = ((self._answered(after) != self._answered(self.before)) | ~sound).astype(np.float64)
            low, high = clustered_wilson(moved, self.groups)
        else:
            moved = np.abs(after.reshape(-1) - self.before.reshape(-1)) / self.spread
            moved = np.where(np.isfinite(moved), np.minimum(moved, 1e100), 1e100)
            low, high = mean_interval(pool_groups(moved, self.groups))
        return Measurement(
            name,
            float(moved.mean()),
            low if np.isfinite(low) else None,
            high if np.isfinite(high) else None,
            self.n,
            convention=_CONVENTIONS[self.classes],
            better="lower",
        )


def _blank(rows: Rows, facts: Reference, number: int) -> Rows:
    return blank(rows, Cells(*(source == number for source in facts.sources)))


def _enlarged(rows: Rows, facts: Reference, number: int) -> Rows | None:
    hit = np.zeros(rows.numeric.shape[1], dtype=bool)
    hit[facts.measured] = True
    hit &= facts.sources[0] == number
    return rows._replace(numeric=np.where(hit, FACTOR * rows.numeric, rows.numeric)) if hit.any() else None
