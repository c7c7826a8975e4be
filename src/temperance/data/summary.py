"""Summarise each column for the report: counts, range, quantiles, most frequent values."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from temperance.records.schema import MISSING, UNSEEN, Column
from temperance.records.table import Table

QUANTILES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
TOP = 10


def profile(table: Table) -> dict[str, Any]:
    """Return ``{"rows", "columns": [one summary per input], "target": summary}``, JSON-safe."""
    columns = [
        numeric_summary(column.name, table.rows.numeric[:, j]) | {"part": column.part, "integer": column.integer}
        for j, column in enumerate(table.schema.numeric)
    ]
    columns += [
        category_summary(column, table.rows.categorical[:, j]) for j, column in enumerate(table.schema.categorical)
    ]
    if table.rows.text is not None:
        columns += [text_summary(column, table.rows.text[:, j]) for j, column in enumerate(table.schema.text)]
    return {"rows": len(table), "columns": columns, "target": target_summary(table)}


def numeric_summary(name: str, values: NDArray[np.float64]) -> dict[str, Any]:
    """Summarise numbers (b,); every figure is None where no value is present."""
    finite = values[np.isfinite(values)]
    row: dict[str, Any] = {"name": name, "kind": "numeric", "missing": int(len(values) - len(finite))}
    if not len(finite):
        return row | dict.fromkeys(("low", "high", "mean", "sd", "quantiles")) | {"unique": 0, "top": []}
    ordered = np.sort(finite)
    places = np.floor(np.array(QUANTILES) * (len(finite) - 1)).astype(int)
    with np.errstate(over="ignore", invalid="ignore"):
        mean, sd = float(finite.mean()), float(finite.std())
    return row | {
        "unique": 1 + int(np.count_nonzero(ordered[1:] != ordered[:-1])),
        "low": float(ordered[0]),
        "high": float(ordered[-1]),
        "mean": mean if np.isfinite(mean) else None,
        "sd": sd if np.isfinite(sd) else None,
        "quantiles": {f"{q:g}": float(v) for q, v in zip(QUANTILES, ordered[places], strict=True)},
        "top": [],
    }


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
