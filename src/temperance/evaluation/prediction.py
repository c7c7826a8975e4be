"""Ask a predictor for many rows in batches, so that memory does not grow with the data."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from temperance.evaluation.base import Array, Outcome, outcome
from temperance.records.errors import DataError
from temperance.records.predictor import Predictor
from temperance.records.table import Table

BATCH = 8192


def batches(count: int, *, size: int = BATCH) -> Iterator[slice]:
    """Yield slices of at most ``size`` rows."""
    for start in range(0, count, size):
        yield slice(start, min(count, start + size))


def predict(predictor: Predictor, table: Table, index: NDArray[Any], *, batch: int = BATCH) -> Array:
    """Return predictions of the rows ``index``: (b, c) probabilities or (b,) values, float64."""
    parts = [
        np.asarray(predictor.predict(table.rows.take(index[part])), dtype=np.float64)
        for part in batches(len(index), size=batch)
    ]
    return np.concatenate(parts)


def intervals(predictor: Predictor, table: Table, index: NDArray[Any]) -> tuple[Array, Array] | tuple[None, None]:
    """Return the ends (b,) of prediction intervals, or (None, None) where the predictor states none."""
    ask = getattr(predictor, "interval", None)
    if ask is None or not getattr(predictor, "has_interval", True) or table.schema.target.task != "regression":
        return None, None
    answers = [ask(table.rows.take(index[part])) for part in batches(len(index))]
    if any(answer is None for answer in answers):
        return None, None
    return (
        np.concatenate([np.asarray(low, dtype=np.float64) for low, _ in answers]),
        np.concatenate([np.asarray(high, dtype=np.float64) for _, high in answers]),
    )


def observe(predictor: Predictor, table: Table, index: NDArray[Any] | None = None) -> Outcome:
    """Predict the rows ``index`` (all by default) and set them beside the truth.

    Shapes: index (n,).

    Raises:
        DataError: no rows, or predictions or targets that cannot be used.

    """
    rows = check_index(table, index)
    known, given = predictor.schema.target, table.schema.target
    if (known.task, known.classes) != (given.task, given.classes):
        raise DataError(
            f"a model for {known.task} with classes {list(known.classes)} and data for {given.task} with classes "
            f"{list(given.classes)}",
            "the same task and the same classes in the same order",
            "Read the data with the model's schema",
        )
    low, high = intervals(predictor, table, rows)
    return outcome(
        predict(predictor, table, rows),
        target=table.target[rows],
        spec=table.schema.target,
        low=low,
        high=high,
        groups=None if table.group is None else table.group[rows],
        coverage=float(getattr(predictor, "coverage", 0.9)),
        decision=getattr(predictor, "decision", None),
        weight=None if table.weight is None else table.weight[rows],
    )


def check_index(table: Table, index: NDArray[Any] | None) -> NDArray[np.int64]:
    """Return row numbers as int64; all rows for None.

    Shapes: (n,) → (n,).

    Raises:
        DataError: no rows, or numbers outside the table.

    """
    rows = np.arange(len(table)) if index is None else np.asarray(index)
    rows = np.flatnonzero(rows) if rows.dtype == bool else rows.astype(np.int64)
    if not len(rows):
        raise DataError("no rows to evaluate", "at least one row with a known target", "Give more rows")
    if rows.min() < 0 or rows.max() >= len(table):
        raise DataError(
            f"row numbers from {rows.min()} to {rows.max()}", f"0 to {len(table) - 1}", "Use indices of this table"
        )
    return rows
