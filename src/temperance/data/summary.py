"""Summarise each column for the report: counts, range, quantiles, most frequent values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from temperance.records.schema import MISSING, UNSEEN, Column
from temperance.records.table import Table

QUANTILES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
TOP = 10
MANY = 1_000_000  # numbers above which the different ones are counted to within about 1 %
RANGE = 2**16  # whole numbers of a range this short are counted one by one


def profile(table: Table, values_of: Callable[[Column], NDArray[Any]] | None = None) -> dict[str, Any]:
    """Return ``{"rows", "columns": [one summary per input], "target": summary}``, JSON-safe.

    Args:
        table: rows and schema.
        values_of: gives the numbers or codes (b,) of a column where that is cheaper than to take them from the rows.

    """
    numeric = {column.name: j for j, column in enumerate(table.schema.numeric)}
    codes = {column.name: j for j, column in enumerate(table.schema.categorical)}

    def taken(column: Column) -> NDArray[Any]:
        if values_of is not None:
            return values_of(column)
        if column.kind == "numeric":
            return table.rows.numeric[:, numeric[column.name]]
        return table.rows.categorical[:, codes[column.name]]

    columns = [
        numeric_summary(column.name, taken(column)) | {"part": column.part, "integer": column.integer}
        for column in table.schema.numeric
    ]
    columns += [category_summary(column, taken(column)) for column in table.schema.categorical]
    if table.rows.text is not None:
        columns += [text_summary(column, table.rows.text[:, j]) for j, column in enumerate(table.schema.text)]
    if table.rows.series is not None:
        columns += [series_summary(column, table.rows.series[:, j]) for j, column in enumerate(table.schema.series)]
    return {"rows": len(table), "columns": columns, "target": target_summary(table)}


def numeric_summary(name: str, values: NDArray[np.float64]) -> dict[str, Any]:
    """Summarise numbers (b,); every figure is None where no value is present.

    ``about`` is True where ``unique`` is an estimate (HyperLogLog, of more than a million numbers that are not whole).
    """
    known = np.isfinite(values)
    finite = values if known.all() else values[known]
    row: dict[str, Any] = {"name": name, "kind": "numeric", "missing": int(len(values) - len(finite))}
    if not len(finite):
        return row | dict.fromkeys(("low", "high", "mean", "sd", "quantiles")) | {"unique": 0, "top": []}
    low, high = float(finite.min()), float(finite.max())
    places = np.floor(np.array(QUANTILES) * (len(finite) - 1)).astype(int)
    unique, at, about = _spread(finite, low, high, places)
    with np.errstate(over="ignore", invalid="ignore"):
        mean, sd = float(finite.mean()), float(finite.std())
    return (
        row
        | {
            "unique": unique,
            "low": low,
            "high": high,
            "mean": mean if np.isfinite(mean) else None,
            "sd": sd if np.isfinite(sd) else None,
            "quantiles": {f"{q:g}": float(v) for q, v in zip(QUANTILES, at, strict=True)},
            "top": [],
        }
        | ({"about": True} if about else {})
    )


def _spread(
    finite: NDArray[np.float64], low: float, high: float, places: NDArray[np.int64]
) -> tuple[int, NDArray[np.float64], bool]:
    """Return the count of different numbers (b,), those at ``places`` of their order, and whether it is estimated."""
    if high - low < RANGE and (finite == np.floor(finite)).all():
        counts = np.bincount((finite - low).astype(np.int64))
        at = np.float64(low) + np.searchsorted(np.cumsum(counts), places, side="right").astype(np.float64)
        return int(np.count_nonzero(counts)), at, False
    if len(finite) <= MANY:
        ordered = np.sort(finite)
        return 1 + int(np.count_nonzero(ordered[1:] != ordered[:-1])), ordered[places], False
    unique = int(pl.Series(finite).approx_n_unique())
    return unique, np.partition(finite, np.unique(places))[places], True


def category_summary(column: Column, codes: NDArray[np.int32]) -> dict[str, Any]:
    """Summarise categories (b,) of codes."""
    counts = np.bincount(codes[codes >= 0], minlength=len(column.vocabulary))
    order = np.argsort(-counts, kind="stable")[:TOP]
    return {
        "name": column.name,
        "kind": "categorical",
        "missing": int((codes == MISSING).sum()),
        "unseen": int((codes == UNSEEN).sum()),
        "unique": int((counts > 0).sum()),
        "low": None,
        "high": None,
        "mean": None,
        "top": [[column.vocabulary[i], int(counts[i])] for i in order if counts[i]],
    }


def text_summary(column: Column, texts: NDArray[np.object_]) -> dict[str, Any]:
    """Summarise texts (b,) by their lengths; none of them is quoted."""
    known = [text for text in texts if text]
    lengths = np.array([len(text.split()) for text in known] or [0])
    return {
        "name": column.name, "kind": "text", "missing": len(texts) - len(known), "unique": len(set(known)),
        "low": float(lengths.min()), "high": float(lengths.max()), "mean": float(lengths.mean()), "top": [],
    }  # fmt: skip


def series_summary(column: Column, series: NDArray[np.float32]) -> dict[str, Any]:
    """Summarise one channel (b, length): the range of its values, gaps inside its series, and their lengths.

    ``missing`` counts values between the first and the last of the longest channel position that is known in a row;
    ``unique`` is None: moments of series are not counted one by one.
    """
    known = np.isfinite(series)
    ends = np.where(known.any(axis=1), known.shape[1] - np.argmax(known[:, ::-1], axis=1), 0)
    found = series[known]
    return {
        "name": column.name, "kind": "series", "missing": int(ends.sum() - known.sum()), "unique": None,
        "low": float(found.min()) if len(found) else None, "high": float(found.max()) if len(found) else None,
        "mean": float(found.mean(dtype=np.float64)) if len(found) else None, "top": [],
        "lengths": [int(ends.min()), int(ends.max())] if len(ends) else [0, 0],
    }  # fmt: skip


def target_summary(table: Table) -> dict[str, Any]:
    """Summarise the target: counts per class, or the range of values."""
    target = table.schema.target
    if target.task == "regression":
        return numeric_summary(target.name, table.target.astype(np.float64))
    known = table.target[table.target >= 0]
    counts = np.bincount(known, minlength=len(target.classes))
    return {
        "name": target.name,
        "kind": "classes",
        "missing": int(len(table.target) - len(known)),
        "unique": int((counts > 0).sum()),
        "top": [[name, int(count)] for name, count in zip(target.classes, counts, strict=True)],
    }
