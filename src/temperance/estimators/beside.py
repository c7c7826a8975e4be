"""What stands beside each row: its weight, its group, its time."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.validation import _check_sample_weight, check_consistent_length, column_or_1d

from temperance.records.errors import DataError


def row_weights(inputs: Any, labels: NDArray[Any], *, sample_weight: Any, class_weight: Any) -> NDArray[Any] | None:
    """Return weights (b,) float64, the product of both; None where neither is given.

    Args:
        inputs: array or frame (b, f).
        labels: (b,) classes or values.
        sample_weight: (b,) weights, not negative, or one number; None: 1.
        class_weight: ``balanced`` (b / (c · count of the class)), or a dict from class to weight; None: 1.

    Raises:
        ValueError: negative weights, another length, a class that ``labels`` does not hold.
        DataError: weights that are all 0.

    """
    if sample_weight is None and class_weight is None:
        return None
    rows = np.empty((len(labels), 1))
    weight = np.asarray(_check_sample_weight(sample_weight, rows, dtype=np.float64, ensure_non_negative=True))
    if class_weight is not None:
        weight = weight * compute_sample_weight(class_weight, labels)
    if not weight.any():
        raise DataError("weights that are all 0", "at least two rows with a weight above 0", "Check sample_weight")
    return weight


def guides(count: int, *, groups: Any, time: Any) -> dict[str, NDArray[Any]]:
    """Return the fields ``group`` (b,) int64 and ``time`` (b,) float64 of a table, those that are given.

    Args:
        count: b.
        groups: (b,) anything that can be compared: rows of one group are never split.
        time: (b,) numbers or dates: the latest rows test and choose.

    Raises:
        ValueError: another length.
        DataError: times that are neither numbers nor dates, or missing.

    """
    found: dict[str, NDArray[Any]] = {}
    if groups is not None:
        labels = column_or_1d(groups)
        check_consistent_length(labels, np.empty(count))
        found["group"] = np.unique(labels, return_inverse=True)[1].astype(np.int64)
    if time is not None:
        moments = np.asarray(time)
        check_consistent_length(moments, np.empty(count))
        found["time"] = _days(moments)
    return found


def _days(moments: NDArray[Any]) -> NDArray[np.float64]:
    if moments.dtype.kind == "M":
        days = (moments - np.datetime64(0, "s")) / np.timedelta64(1, "D")
    elif moments.dtype.kind in "iufb":
        days = moments.astype(np.float64)
    else:
        raise DataError(
            f"time of type {moments.dtype}", "numbers, or dates as datetime64", "Convert it, e.g. pandas.to_datetime"
        )
    if not np.isfinite(days).all():
        raise DataError("time with missing values", "a moment for each row", "Leave those rows out")
    return np.asarray(days, dtype=np.float64)
