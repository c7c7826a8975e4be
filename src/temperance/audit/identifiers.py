"""Columns that name the row instead of describing it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from temperance.audit.base import CHECKS, Check, count_of
from temperance.audit.context import Context
from temperance.audit.crossfit import assign_folds
from temperance.audit.leaks import Leaks
from temperance.audit.planting import Kind, Planting
from temperance.records.finding import Finding
from temperance.records.schema import Column

NAMED = re.compile(
    r"(?:^|[^a-z])(?:id|ids|uuid|guid|key|index|idx|no|nr|number|code|serial|rownames?|row)(?:$|[^a-z])|.id$"
)


@CHECKS.add
@dataclass(frozen=True)
class Identifiers(Check):
    """Find columns with almost as many values as rows: text, or whole numbers that count up or are named like a number.

    ``unique``: share of distinct values. ``predicts``: score alone above which the identifier tells the answer.
    """

    unique: float = 0.95
    predicts: float = 0.60
    least: int = 50

    name: ClassVar[str] = "identifiers"
    label: ClassVar[str] = "identifiers"
    rank: ClassVar[int] = 15
    sizes: ClassVar[tuple[int | None, ...]] = (20_000, 5_000)
    why: ClassVar[str] = "A model that learns names of rows instead of their nature fails on every new row."
    cannot_see: ClassVar[str] = "Identifiers with decimals, and those that are spread over several columns."

    def unsuited(self, context: Context) -> str:
        """Pixels are not identifiers; shares of a few rows say nothing."""
        if context.is_images:
            return "images have no columns."
        few = len(context.development) < self.least
        return f"fewer than {self.least} rows; uniqueness means nothing there." if few else ""

    def estimate(self, context: Context, rows: int) -> float:
        """Return seconds: one sort per column."""
        return 0.05 + 1.2e-7 * rows * len(context.schema.columns)

    def inspect(self, context: Context) -> Finding:
        """Count distinct values per column; plant one identifier of each kind."""
        index = context.sample(self.name)
        rows = context.table.rows.take(index)
        hits: list[tuple[Column, NDArray[Any]]] = []
        for j, column in enumerate(context.schema.numeric):
            if not column.part and self.names_rows(column.name, rows.numeric[:, j]):
                hits.append((column, rows.numeric[:, j]))
        for j, column in enumerate(context.schema.categorical):
            if self._distinct(rows.categorical[:, j]) >= self.unique:
                hits.append((column, rows.categorical[:, j].astype(np.float64)))
        scored: list[dict[str, Any]] = [
            {"column": column.name, "score": self._score(context, values, index)} for column, values in hits
        ]
        ignored = list(context.schema.ignored)
        evidence = {
            "n": len(index),
            "k": len(hits),
            "columns": [column.name for column, _ in hits][:20],
            "examples": scored[:20],
            "ignored_by_the_reader": ignored[:50],
        }
        fields: dict[str, Any] = {
            "evidence": evidence,
            "thresholds": {"unique": self.unique, "predicts": self.predicts},
            "confidence": self._self_test(context, len(index)),
        }
        if not hits:
            note = f" The reader already leaves out {count_of(len(ignored), 'column')}." if ignored else ""
            return self.finding("no_problem_found", f"No column names the rows.{note}", **fields)
        top = hits[0][0].name
        telling = [row["column"] for row in scored if row["score"] >= self.predicts]
        title = f"Column '{telling[0] if telling else top}' has a new value in nearly every row, like an identifier."
        if telling:
            title += " It also helps to tell the answer."
        action = (
            f"If '{top}' only names the row, remove it from the file.",
            "If several rows belong to one name, give the column with --group.",
        )
        return self.finding("look_at_this", title, action=action, **fields)

    def names_rows(self, name: str, values: NDArray[Any]) -> bool:
        """Return whether a numeric column looks like a running or a given number.

        Shapes: values (b,), NaN where missing.
        """
        known = values[np.isfinite(values)]
        if len(known) < self.least or np.any(known != np.round(known)) or self._distinct(values) < self.unique:
            return False
        dense = known.max() - known.min() + 1 <= 1.1 * len(known)
        climbs = len(known) == len(values) and bool(np.all(np.diff(known) > 0))
        return bool(dense or climbs or NAMED.search(name.lower()))

    @staticmethod
    def _distinct(values: NDArray[Any]) -> float:
        known = values[values >= 0] if values.dtype.kind == "i" else values[np.isfinite(values)]
        return len(np.unique(known)) / len(known) if len(known) else 0.0

    def _score(self, context: Context, values: NDArray[Any], index: NDArray[np.int64]) -> float:
        keep = index[: min(len(index), 5000)]
        target = context.labels(keep)
        folds = assign_folds(target, 4, context.generator(self.name))
        classes = len(context.schema.target.classes)
        return round(Leaks().score(values[: len(keep)], target, folds, classes=classes, is_code=False)[0], 4)

    def _self_test(self, context: Context, count: int) -> dict[str, Any]:
        """Plant a running number, a shuffled one and text names; and whole numbers that repeat, as false ones."""
        generator = context.generator(self.name, "plant")
        numbers = [np.arange(count, dtype=np.float64), generator.permutation(count).astype(np.float64)]
        found = sum(self.names_rows("x", values) for values in numbers)
        found += self._distinct(generator.permutation(count).astype(np.int32)) >= self.unique
        repeats = [generator.integers(max(2, count // d), size=count).astype(np.float64) for d in (2, 10, 100)]
        false = sum(self.names_rows("x", values) for values in repeats)
        return Planting((Kind("identifiers", 3, int(found)),), 3, int(false), "plain columns").to_dict()
