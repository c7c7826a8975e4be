"""From what scikit-learn's users pass to tables: arrays of numbers, or frames with columns of any type."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_consistent_length, column_or_1d, validate_data

from temperance.data import read
from temperance.data.arrays import as_frame
from temperance.data.choices import Choices, of_python
from temperance.estimators.beside import guides, row_weights
from temperance.records.errors import DataError
from temperance.records.schema import Rows, Schema
from temperance.records.table import Table

SAME = 1e-12  # relative spread of weights that counts as none


@dataclass(frozen=True, eq=False)
class Given:
    """Training data.

    Attributes:
        inputs: an array (b, f) float64, or a Polars frame.
        targets: (b,) values or labels, as the reader takes them.
        table: both, read.
        order: (c,) for each class in sorted order its place among the table's classes; empty for regression.
        classes: (c,) the classes, sorted; empty for regression.
        beside: fields of the table that stand beside each row: ``weight``, ``group``, ``time``.

    """

    inputs: Any
    targets: NDArray[Any]
    table: Table
    order: NDArray[np.int64]
    classes: NDArray[Any]
    beside: dict[str, NDArray[Any]] = field(default_factory=dict)


def check_inputs(estimator: Any, X: Any, *, reset: bool) -> Any:
    """Return X as a float64 array or a Polars frame; the estimator notes or checks count and names of the features.

    Images, (b, h, w) or (b, h, w, c), stay as they are.
    """
    if not isinstance(X, np.ndarray):
        frame = as_frame(X)
        if frame is not None:
            validate_data(estimator, X, reset=reset, skip_check_array=True)
            return frame
    if isinstance(X, np.ndarray) and X.ndim in (3, 4) and X.dtype.kind in "uif":
        validate_data(estimator, X, reset=reset, skip_check_array=True)
        return X
    least = 2 if reset else 1
    array = validate_data(estimator, X, reset=reset, ensure_all_finite="allow-nan", ensure_min_samples=least)
    return np.asarray(array, dtype=np.float64)


def given(
    estimator: Any, X: Any, y: Any, *, task: str, sample_weight: Any = None, class_weight: Any = None,
    groups: Any = None, time: Any = None, columns: Any = None,
) -> Given:  # fmt: skip
    """Check and read training data. Rows of weight 0 are left out, as if they were not there.

    The mean of the weights is made 1: only their ratios count. Boosting has its L2 penalty in units of the weights,
    so tiny weights would forbid it to learn. Where all rows weigh the same, no weights are handed on.

    Args:
        estimator: told of the features.
        X: array or frame (b, f).
        y: (b,).
        task: ``classification``, ``ordinal``, ``counts`` or ``regression``.
        sample_weight: (b,) weights, or None.
        class_weight: weights by class, or None.
        groups: (b,) groups that are never split, or None.
        time: (b,) numbers or dates that the split follows, or None.
        columns: what the user decided about the columns, as the estimator takes it.

    Raises:
        ValueError: shapes, lengths or values that do not fit (``DataError`` is one).

    """
    if y is None:
        name = type(estimator).__name__
        raise ValueError(f"{name} requires y to be passed, but the target y is None. Pass y, one target per row.")
    inputs = check_inputs(estimator, X, reset=True)
    targets = column_or_1d(y, warn=True)
    check_consistent_length(inputs, targets)
    numeric = task in ("counts", "regression")
    if numeric or targets.dtype.kind == "f":
        numbers = _finite(targets)
        targets = numbers if numeric else targets
    if not numeric:
        check_classification_targets(targets)
    beside = guides(len(targets), groups=groups, time=time)
    weight = row_weights(inputs, targets, sample_weight=sample_weight, class_weight=class_weight)
    if weight is not None:
        kept = np.flatnonzero(weight)
        inputs, targets, weight = inputs[kept], targets[kept], weight[kept]
        beside = {name: values[kept] for name, values in beside.items()}
        if np.ptp(weight) > SAME * weight.max():
            beside["weight"] = weight / weight.mean()
    if numeric:
        table = read((inputs, targets), task=task, choices=of_python(columns)).table
        found = Given(inputs, targets, table, np.empty(0, dtype=np.int64), np.empty(0))
    else:
        found = _labelled(inputs, targets, of_python(columns), task)
    fields: dict[str, Any] = beside
    return replace(found, table=replace(found.table, **fields), beside=beside)


def _finite(values: NDArray[Any]) -> NDArray[np.float64]:
    numbers = np.asarray(values, dtype=np.float64)
    if not np.isfinite(numbers).all():
        bad = int((~np.isfinite(numbers)).sum())
        raise DataError(f"y holds {bad} values that are NaN or infinity", "finite numbers", "Leave those rows out")
    return numbers


def _labelled(inputs: Any, labels: NDArray[Any], choices: Choices, task: str) -> Given:
    """Read with the labels as class names; where two would read alike or as missing, with numbered classes."""
    classes, first, codes = np.unique(labels, return_index=True, return_inverse=True)
    table = _read_classes(inputs, labels, len(classes), choices, task)
    if table is None:
        width = len(str(len(classes)))
        labels = np.array([f"class {code:0{width}d}" for code in codes])
        table = read((inputs, labels), task="classification", choices=choices).table
    order = np.asarray(table.target[first], dtype=np.int64)
    return Given(inputs, labels, table, order, classes)


def _read_classes(inputs: Any, labels: NDArray[Any], count: int, choices: Choices, task: str) -> Table | None:
    """Return the table, or None where not every label was read as a class of its own."""
    try:
        table: Table = read((inputs, labels), task=task, choices=choices).table
    except DataError:
        if count < 2 or task == "ordinal":
            raise
        return None  # read again with numbered classes, which raises what is not about the labels
    return table if len(table) == len(labels) and len(table.schema.target.classes) == count else None


def rows_of(inputs: Any, schema: Schema) -> Rows:
    """Return checked inputs as rows of a schema."""
    coded = schema.categorical or any(c.part or c.missing for c in schema.numeric)
    if not isinstance(inputs, np.ndarray) or inputs.ndim > 2 or coded:
        reading = read(inputs, schema=schema)
        for note in reading.notes:
            if "read as missing" in note:
                warnings.warn(note, UserWarning, stacklevel=4)
        rows: Rows = reading.table.rows
        return rows
    if len(schema.columns) == inputs.shape[1]:
        return Rows(inputs, np.empty((len(inputs), 0), dtype=np.int32))
    places = [int((c.source or c.name).removeprefix("x")) for c in schema.columns]
    return Rows(np.ascontiguousarray(inputs[:, places]), np.empty((len(inputs), 0), dtype=np.int32))
