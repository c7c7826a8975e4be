"""Gaps that depend on the answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from temperance.audit.base import CHECKS, Check, count_of
from temperance.audit.context import Context
from temperance.audit.planting import Kind, Planting
from temperance.records.finding import Finding

Mask = NDArray[np.bool_]


@CHECKS.add
@dataclass(frozen=True)
class Missingness(Check):
    """Test each column's gaps against the target, with false discoveries held at ``rate`` (Benjamini-Hochberg).

    Classes: chi-squared test and Cramér's V. Numbers: Mann-Whitney test and |2 AUC − 1|. An effect below ``effect`` is
    too small to matter and is not reported, however certain it is.
    """

    rate: float = 0.01
    effect: float = 0.10
    least: int = 10
    planted: int = 20

    name: ClassVar[str] = "missingness"
    label: ClassVar[str] = "gaps that tell the answer"
    rank: ClassVar[int] = 40
    sizes: ClassVar[tuple[int | None, ...]] = (50_000, 10_000)
    why: ClassVar[str] = "If a value is missing because of the outcome, the gap tells the answer here but not in use."
    cannot_see: ClassVar[str] = "Gaps that were filled with a number such as 0 or 999 before the file was made."
    references: ClassVar[tuple[str, ...]] = ("Benjamini and Hochberg (1995), J. R. Stat. Soc. B 57(1)",)

    def unsuited(self, context: Context) -> str:
        """Images have no gaps."""
        return "images have no missing values." if context.is_images else ""

    def estimate(self, context: Context, rows: int) -> float:
        """Return seconds."""
        return 0.1 + (2e-6 if context.is_regression else 3e-7) * rows * (self.planted + len(context.schema.columns))

    def inspect(self, context: Context) -> Finding:
        """Test every column that has gaps."""
        index = context.sample(self.name)
        target = context.labels(index)
        rows = context.table.rows.take(index)
        gaps = np.concatenate([np.isnan(rows.numeric), rows.categorical == -1], axis=1)
        if rows.text is not None:
            gaps = np.concatenate([gaps, np.array([[cell is None for cell in row] for row in rows.text])], axis=1)
        usable = [j for j in range(gaps.shape[1]) if self.least <= gaps[:, j].sum() <= len(index) - self.least]
        tests = [association(gaps[:, j], target) for j in usable]
        hits = [usable[i] for i in self._discoveries(tests)]
        effects = dict(zip(usable, (e for _, e in tests), strict=True))
        hits.sort(key=lambda j: -effects[j])
        names = [column.name for column in context.schema.columns]
        evidence = {
            "n": len(index),
            "k": len(hits),
            "columns": [names[j] for j in hits][:20],
            "examples": [_example(context, names[j], gaps[:, j], target, effects[j]) for j in hits[:20]],
            "columns_with_gaps": len(usable),
        }
        fields: dict[str, Any] = {
            "evidence": evidence,
            "thresholds": {"rate": self.rate, "effect": self.effect},
            "confidence": self._self_test(context, target),
        }
        if not hits:
            title = f"{count_of(len(usable), 'column')} with gaps tested. No gaps depend on the answer."
            title = title if usable else "No column has enough gaps to matter."
            return self.finding("no_problem_found", title, **fields)
        title = f"In {count_of(len(hits), 'column')} gaps go together with the answer, most in '{names[hits[0]]}'."
        action = (
            f"Ask why '{names[hits[0]]}' is missing. Was it left out after the outcome was known?",
            "If the gaps will not look the same in use, remove the column or fill the gaps at the source.",
        )
        return self.finding("look_at_this", title, action=action, **fields)

    def _discoveries(self, tests: list[tuple[float, float]]) -> list[int]:
        accepted = discoveries([p for p, _ in tests], rate=self.rate)
        return [i for i in accepted if tests[i][1] >= self.effect]

    def _self_test(self, context: Context, target: NDArray[Any]) -> dict[str, Any]:
        """Plant columns whose gaps depend on the answer, and as many whose gaps are random."""
        generator = context.generator(self.name)
        middle = np.median(target)
        high = target > middle if target.dtype.kind == "f" else target == np.bincount(target.astype(np.int64)).argmax()
        tied = [generator.random(len(target)) < np.where(high, 0.25, 0.08) for _ in range(self.planted)]
        free = [generator.random(len(target)) < 0.15 for _ in range(self.planted)]
        found = self._discoveries([association(gap, target) for gap in tied + free])
        good = sum(i < self.planted for i in found)
        kind = Kind("columns whose gaps depend on the answer", self.planted, good)
        return Planting((kind,), self.planted, len(found) - good, "columns with random gaps").to_dict()


def association(gap: Mask, target: NDArray[Any]) -> tuple[float, float]:
    """Return the p value and the size, 0 to 1, of the tie between gaps and the target.

    Shapes: both (b,); the target holds codes or values.
    """
    from scipy.stats import chi2, mannwhitneyu

    count = int(gap.sum())
    if count == 0 or count == len(gap):
        return 1.0, 0.0
    if target.dtype.kind == "f":
        test = mannwhitneyu(target[gap], target[~gap], method="asymptotic")
        return float(test.pvalue), abs(2.0 * float(test.statistic) / (count * (len(gap) - count)) - 1.0)
    codes = target.astype(np.int64)
    table = np.stack([np.bincount(codes[gap], minlength=codes.max() + 1), np.bincount(codes[~gap])]).astype(np.float64)
    table = table[:, table.sum(axis=0) > 0]
    expected = table.sum(axis=1, keepdims=True) * table.sum(axis=0, keepdims=True) / table.sum()
    statistic = float(((table - expected) ** 2 / expected).sum())
    return float(chi2.sf(statistic, max(table.shape[1] - 1, 1))), float(np.sqrt(statistic / table.sum()))


def discoveries(p_values: list[float], *, rate: float) -> list[int]:
    """Return the positions that Benjamini and Hochberg's step-up rule accepts at a false discovery rate."""
    order = np.argsort(p_values, kind="stable")
    limits = rate * np.arange(1, len(order) + 1) / max(len(order), 1)
    passed = np.flatnonzero(np.asarray(p_values)[order] <= limits) if len(order) else np.empty(0, dtype=np.int64)
    return [int(i) for i in order[: passed[-1] + 1]] if len(passed) else []


def _example(context: Context, name: str, gap: Mask, target: NDArray[Any], effect: float) -> dict[str, Any]:
    row: dict[str, Any] = {"column": name, "missing": int(gap.sum()), "effect": round(effect, 4)}
    if context.is_regression:
        return {**row, "mean_if_missing": float(target[gap].mean()), "mean_if_present": float(target[~gap].mean())}
    classes = context.schema.target.classes
    missing = np.array([gap[target == c].mean() if (target == c).any() else 0.0 for c in range(len(classes))])
    return {**row, "missing_by_answer": {classes[int(c)]: missing[c] for c in np.argsort(-missing)[:5]}}
