"""Columns that name what several rows share: is the score as good for one that was never seen?"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from temperance.audit.base import CHECKS, Check
from temperance.audit.context import Context
from temperance.audit.crossfit import assign_folds, forest, hits_of, out_of_fold
from temperance.audit.features import tree_matrix
from temperance.audit.planting import Kind, Planting
from temperance.records.finding import Finding

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
SHARED = re.compile(
    r"(?:^|[^a-z])(?:id|ids|key|code|no|nr|number|group|patient|subject|person|user|customer|client|household|family|"
    r"session|visit|batch|lot|device|sensor|machine|station|site|shop|store|school|hospital|writer|speaker|author|"
    r"animal|plot|vehicle|driver|member|account|company|source)(?:$|[^a-z])|.id$"
)


@CHECKS.add
@dataclass(frozen=True)
class GroupLeak(Check):
    """Compare shuffled folds with folds that keep the values of one column apart, by a model without that column.

    Columns: categories of ``least`` values or more, and whole numbers whose title names a thing; most rows share their
    value with another. Flagged where the shuffled score is better by more than ``limit`` and by ``errors`` standard
    errors, which are those of sums over groups (clusters) and of folds, whichever is larger.
    """

    limit: float = 0.02
    serious: float = 0.10
    errors: float = 3.0
    folds: int = 5
    least: int = 20
    most: int = 3

    name: ClassVar[str] = "group_leak"
    label: ClassVar[str] = "columns whose rows belong together"
    rank: ClassVar[int] = 82
    sizes: ClassVar[tuple[int | None, ...]] = (4000, 1500)
    false_alarm_rate: ClassVar[float] = 0.02
    why: ClassVar[str] = (
        "If one person's rows stand on both sides of the split, the score is not that for a new person."
    )
    cannot_see: ClassVar[str] = "Groups that no column names, and columns that the reader leaves out."
    references: ClassVar[tuple[str, ...]] = ("Kapoor and Narayanan (2023), arXiv:2207.07048",)

    def unsuited(self, context: Context) -> str:
        """Return why not: no such column, or a split that keeps groups apart already."""
        if context.table.group is not None:
            return "the split already keeps the groups of --group apart."
        if len(context.development) < 200:
            return "there are fewer than 200 rows."
        return "" if self.columns(context) else "no column names something that several rows share."

    def estimate(self, context: Context, rows: int) -> float:
        """Return seconds: five forests for each column, and for planted groups."""
        columns = len(context.schema.columns)
        tries = max(2.0, 0.5 * columns) if context.is_regression else max(2.0, math.sqrt(columns))
        return 0.2 + (self.most + 4) * self.folds * rows * 25 * 1.6e-7 * tries

    def columns(self, context: Context) -> list[int]:
        """Return the columns that may name a group, as places in the matrix of the trees; titles that say so first."""
        return context.once(f"{self.name} columns", lambda: self._columns(context))

    def _columns(self, context: Context) -> list[int]:
        if context.is_images:
            return []
        rows = context.table.rows.take(context.sample(self.name))
        whole = len(context.schema.numeric)
        found: list[tuple[bool, int, int]] = []
        for j, column in enumerate((*context.schema.numeric, *context.schema.categorical)):
            values = rows.numeric[:, j] if j < whole else rows.categorical[:, j - whole].astype(np.float64)
            known = values[np.isfinite(values) & (values >= 0)]
            counts = np.unique(known, return_counts=True)[1]
            named = SHARED.search(column.name.lower()) is not None
            shares = len(known) and counts[counts > 1].sum() >= 0.8 * len(values)
            fits = shares and self.least <= len(counts) and counts.max() <= 0.2 * len(values)
            if fits and not column.part and (named or j >= whole) and (j >= whole or np.all(known == np.round(known))):
                found.append((not named, -len(counts), j))
        return [j for _, _, j in sorted(found)[: self.most]]

    def inspect(self, context: Context) -> list[Finding] | Finding:
        """Compare the two ways of splitting for each column, and for planted groups."""
        index = context.sample(self.name)
        X, target = tree_matrix(context.table.rows.take(index)), context.labels(index)
        proof = self._self_test(context, X, target)
        names = [c.name for c in (*context.schema.numeric, *context.schema.categorical)]
        metric = "share of variance explained" if context.is_regression else "accuracy of a quick model"
        found, tried = [], []
        for j in self.columns(context):
            group = np.unique(X[:, j], return_inverse=True)[1]  # missing values are one group
            without = np.delete(X, j, axis=1)
            usual = self._hits(context, without, target, assign_folds(target, self.folds, context.generator(self.name)))
            gap, error, after = self._gap(context, without, target, group, usual)
            tried.append({"column": names[j], "groups": int(group.max()) + 1, "gap": gap, "error": error})
            if self._flagged(gap, error):
                effect = {
                    "metric": metric, "before": usual.mean(), "after": after, "low": after - 2 * error,
                    "high": after + 2 * error,
                }  # fmt: skip
                found.append(self._question(names[j], len(index), effect, proof, tried[-1], context.is_regression))
        if found:
            return found
        evidence = {"n": len(index), "k": 0, "columns": [], "examples": tried}
        title = "The score is as good for groups that were never seen."
        return self.finding("no_problem_found", title, evidence=evidence, confidence=proof, thresholds=self._limits())

    def _limits(self) -> dict[str, float]:
        return {"gap": self.limit, "serious": self.serious, "standard_errors": self.errors}

    def _flagged(self, gap: float, error: float) -> bool:
        return gap > self.limit and gap > self.errors * error

    def _question(
        self, column: str, n: int, effect: dict[str, Any], proof: dict[str, Any], example: dict[str, Any], number: bool
    ) -> Finding:
        first, last = (max(0.0, float(effect[key])) for key in ("before", "after"))
        told = (
            f"explains {100 * first:.0f} of 100 parts, and {100 * last:.0f}"
            if number
            else f"gets {100 * first:.0f} of 100 right, and {100 * last:.0f}"
        )
        title = f"Rows with one '{column}' help each other: a quick model {told} where '{column}' is new."
        action = (
            f"Ask: will the model meet a '{column}' that it has not seen? Then the second figure is the honest one.",
            f"If so, give it as --group {column} and run again.",
        )
        return self.finding(
            "fix_before_use" if first - last >= self.serious else "look_at_this",
            title,
            subject=column,
            evidence={"n": n, "k": 1, "columns": [column], "examples": [example]},
            effect=effect,
            confidence=proof,
            action=action,
            thresholds=self._limits(),
        )

    def _gap(
        self, context: Context, X: NDArray[Any], target: NDArray[Any], group: Ints, usual: Floats
    ) -> tuple[float, float, float]:
        """Return usual − grouped score, its standard error, and the grouped score."""
        folds = grouped_folds(group, self.folds, context.generator(self.name, "groups"))
        apart = self._hits(context, X, target, folds)
        paired = usual - apart
        gap = float(paired.mean())
        sums = np.bincount(group, weights=paired - gap)
        means = np.array([paired[folds == f].mean() for f in np.unique(folds)])
        error = max(float(np.sqrt((sums**2).sum())) / len(paired), float(means.std(ddof=1)) / math.sqrt(len(means)))
        return gap, error, float(apart.mean())

    def _hits(self, context: Context, X: NDArray[Any], target: NDArray[Any], folds: Ints) -> Floats:
        classes = len(context.schema.target.classes)
        seed = int(context.generator(self.name, "forest").integers(2**31))
        predicted = out_of_fold(
            lambda: forest(classify=classes > 0, seed=seed, trees=25, leaf=2), X, target, folds, classes=classes
        )
        return hits_of(predicted, target)

    def _self_test(self, context: Context, X: NDArray[Any], target: NDArray[Any]) -> dict[str, Any]:
        """Plant groups that share marks and an answer; and groups at random, which share nothing."""
        generator = context.generator(self.name, "plant")
        group = generator.integers(max(20, len(target) // 10), size=len(target))
        group = np.unique(group, return_inverse=True)[1]
        folds = assign_folds(target, self.folds, context.generator(self.name))
        clean = self._hits(context, X, target, folds)
        false = self._flagged(*self._gap(context, X, target, group, clean)[:2])
        number = int(group.max()) + 1
        mark = generator.standard_normal((number, max(6, X.shape[1] // 4)))[group].astype(np.float32)
        first = np.zeros(number, dtype=np.int64)
        first[group[::-1]] = np.arange(len(group))[::-1]
        same = (generator.random(number) < 0.8)[group]
        answers = np.where(same, target[first[group]], target)
        marked = np.concatenate([X, mark], axis=1)
        hit = self._flagged(
            *self._gap(context, marked, answers, group, self._hits(context, marked, answers, folds))[:2]
        )
        kind = Kind("groups that share marks and an answer", 1, int(hit))
        return Planting((kind,), 1, int(false), "groups at random").to_dict()


def grouped_folds(group: Ints, k: int, generator: np.random.Generator) -> Ints:
    """Return folds that no group crosses, filled evenly, the largest groups first.

    Shapes: (b,) both.
    """
    counts = np.bincount(group)
    order = generator.permutation(len(counts))
    order = order[np.argsort(-counts[order], kind="stable")]
    sizes, place = np.zeros(k, dtype=np.int64), np.zeros(len(counts), dtype=np.int64)
    for one in order:
        place[one] = int(sizes.argmin())
        sizes[place[one]] += counts[one]
    return place[group]
