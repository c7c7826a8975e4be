"""Series in JSON rows: a list of numbers per channel. Standard library and NumPy, for the server."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from temperance.records.errors import RequestError, nearest
from temperance.records.schema import Column, Schema


def series_of_records(schema: Schema, records: Sequence[Mapping[str, Any]]) -> NDArray[np.float32]:
    """Return the series (b, c, length) of JSON rows, NaN where a list is shorter than the longest, or holds null.

    Raises:
        RequestError: status 422; a channel is absent (named), or no list of numbers and nulls.

    """
    lists = [[_list(column, record, i) for column in schema.series] for i, record in enumerate(records)]
    length = max((len(one) for row in lists for one in row), default=0)
    found = np.full((len(records), len(schema.series), max(1, length)), np.nan, dtype=np.float32)
    with np.errstate(over="ignore"):
        for i, row in enumerate(lists):
            for j, one in enumerate(row):
                found[i, j, : len(one)] = one
    return np.where(np.isfinite(found), found, np.float32(np.nan))


def _list(column: Column, record: Mapping[str, Any], row: int) -> list[float]:
    if column.name not in record:
        raise RequestError(
            f"Row {row} lacks the series {column.name!r}", "A list of numbers for each series of the model",
            nearest(column.name, map(str, record)) or f"Add {column.name!r} to the row", status=422,
        )  # fmt: skip
    value = record[column.name]
    good = isinstance(value, list) and all(v is None or type(v) in (int, float) for v in value)
    if not good:
        raise RequestError(
            f"Row {row}: {column.name!r} is no list of numbers", "A list such as [0.1, 0.4, null], null where unknown",
            "Correct the value", status=422,
        )  # fmt: skip
    try:
        return [float("nan") if v is None else float(v) for v in value]
    except OverflowError:
        return [float("nan") if v is None or abs(v) > 1e300 else float(v) for v in value]
