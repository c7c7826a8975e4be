"""Columns whose values were worked out over all rows, test rows too, before the file was split."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from temperance.audit.base import CHECKS, Check, count_of
from temperance.audit.context import Context
from temperance.audit.planting import Kind, Planting
from temperance.records.finding import Finding

Floats = NDArray[np.float64]
LARGEST = 1e140  # its square is finite
WORDS = {
    "standardized": "mean 0 and standard deviation 1",
    "from 0 to 1": "a range of exactly 0 to 1",
    "filled": "one value many times that is the mean of the others",
}


@CHECKS.add
@dataclass(frozen=True)
class Preprocessing(Check):
    """Look for traces of scaling and filling over all rows, development and test together.

    *Standardized*: mean 0 and standard deviation 1 within ``near``. *From 0 to 1*: smallest 0, largest 1, with decimals
    and ``distinct`` values. *Filled*: a value that occurs ``repeats`` times or in ``share`` of the rows, and equals the
    mean of all other values within ``near`` of their spread. Scaling is told from ``columns`` columns on.
    """

    near: float = 1e-6
    distinct: int = 20
    repeats: int = 5
    share: float = 0.005
    columns: int = 3
    planted: int = 3

    name: ClassVar[str] = "preprocessing"
    label: ClassVar[str] = "values worked out over all rows"
    rank: ClassVar[int] = 46
    false_alarm_rate: ClassVar[float] = 0.01
    why: ClassVar[str] = "Values that were worked out with the test rows in view tell the model about them."
    cannot_see: ClassVar[str] = (
        "Columns chosen by their tie to the answer, filled by a model or a median, made-up rows, and rounded values. "
        "The honest score needs the file as it was before."
    )
    references: ClassVar[tuple[str, ...]] = ("Kapoor and Narayanan (2023), arXiv:2207.07048",)

    def unsuited(self, context: Context) -> str:
        """Numbers of a table are needed."""
        if context.is_images or not context.schema.numeric:
            return "the data has no columns of numbers."
        if context.test is not None or context.roles.test_is_separate:
            return "the test rows are a file of their own, so only its makers know."
        return "" if len(context.table) >= 100 else "there are fewer than 100 rows."

    def inspect(self, context: Context) -> Finding:
        """Look at each column of numbers as it stands in the file."""
        table = context.raw if context.raw is not None else context.table
        numeric = table.rows.numeric
        traces = [self.trace(numeric[:, j]) for j in range(numeric.shape[1])]
        scaled = {t: sum(one == t for one in traces) for t in ("standardized", "from 0 to 1")}
        kept = [
            (column.name, trace)
            for column, trace in zip(table.schema.numeric, traces, strict=True)
            if trace and (trace == "filled" or scaled[trace] >= self.columns)
        ]
        evidence = {
            "n": len(traces),
            "k": len(kept),
            "columns": [name for name, _ in kept][:20],
            "examples": [{"column": name, "trace": trace} for name, trace in kept[:20]],
        }
        fields: dict[str, Any] = {
            "evidence": evidence,
            "thresholds": {"near": self.near, "columns": float(self.columns)},
            "confidence": self._self_test(context, numeric),
        }
        if not kept:
            title = "No column shows that its values were worked out over all rows."
            return self.finding("no_problem_found", title, **fields)
        first, trace = kept[0]
        verb = "seems" if len(kept) == 1 else "seem"
        title = f"{count_of(len(kept), 'column')} {verb} worked out over all rows: '{first}' has {WORDS[trace]}."
        action = (
            "Ask: was this done before the rows were split? Then give the file as it was before.",
            "Temperance scales and fills inside each split by itself.",
        )
        return self.finding("look_at_this", title, action=action, **fields)

    def trace(self, values: Floats) -> str:
        """Return what was done to a column, or an empty string.

        Shapes: (b,), NaN where missing.
        """
        known = values[np.isfinite(values)]
        if len(known) < 100 or np.abs(known).max() > LARGEST:
            return ""
        distinct, counts = np.unique(known, return_counts=True)
        if len(distinct) < self.distinct:
            return ""
        mean, spread = float(known.mean()), float(known.std())
        if abs(mean) <= self.near and min(abs(spread - 1), abs(known.std(ddof=1) - 1)) <= self.near:
            return "standardized"
        if distinct[0] == 0.0 and distinct[-1] == 1.0:
            return "from 0 to 1"
        top = int(counts.argmax())
        enough = counts[top] >= max(self.repeats, self.share * len(known)) and counts[top] < len(known) / 2
        others = known[known != distinct[top]]
        whole = bool(np.all(others == np.round(others))) and distinct[top] == np.round(distinct[top])
        near = enough and not whole and abs(float(others.mean()) - distinct[top]) <= self.near * float(others.std())
        return "filled" if near else ""

    def _self_test(self, context: Context, numeric: Floats) -> dict[str, Any]:
        """Scale and fill copies of columns over all rows; and over the rows for development only, as is right."""
        generator = context.generator(self.name)
        found = dict.fromkeys(WORDS, 0)
        blamed = 0
        count = len(numeric)
        for _ in range(self.planted):
            values = numeric[:, int(generator.integers(numeric.shape[1]))].astype(np.float64)
            values = np.where(np.isfinite(values) & (np.abs(values) < LARGEST), values, np.nan)
            known = np.isfinite(values)
            scale = float(values[known].std()) if known.any() else 0.0
            values = np.where(known, values, generator.standard_normal(count) * scale)
            values = values + (scale or 1.0) * 0.1 * generator.standard_normal(count)  # as many values as rows
            some = generator.permutation(count)[: int(0.8 * count)]
            for name, done in (("standardized", _standard), ("from 0 to 1", _ranged)):
                found[name] += self.trace(done(values, np.arange(count))) == name
                blamed += self.trace(done(values, some)) == "standardized"
            holes = generator.permutation(count)[: max(10, count // 20)]
            found["filled"] += self.trace(_filled(values, holes, np.arange(count))) == "filled"
            blamed += self.trace(_filled(values, holes, some)) != ""
        kinds = tuple(Kind(f"columns {name}", self.planted, found[name]) for name in WORDS)
        return Planting(kinds, 3 * self.planted, blamed, "columns done by some rows only").to_dict()


def _standard(values: Floats, rows: NDArray[np.int64]) -> Floats:
    out: Floats = (values - values[rows].mean()) / values[rows].std()
    return out


def _ranged(values: Floats, rows: NDArray[np.int64]) -> Floats:
    low, high = values[rows].min(), values[rows].max()
    out: Floats = (values - low) / (high - low)
    return out


def _filled(values: Floats, holes: NDArray[np.int64], rows: NDArray[np.int64]) -> Floats:
    out = values.copy()
    out[holes] = values[np.setdiff1d(rows, holes)].mean()
    return out
