"""Rows that belong together: the score is too good when neighbours of a test row were learned."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from temperance.audit.base import CHECKS, Check, count_of
from temperance.audit.context import Context
from temperance.audit.crossfit import assign_folds, contiguous_folds, forest, hits_of, out_of_fold
from temperance.audit.features import tree_matrix
from temperance.audit.planting import Kind, Planting
from temperance.records.finding import Finding

Ints = NDArray[np.int64]


@CHECKS.add
@dataclass(frozen=True)
class Grouping(Check):
    """Compare shuffled folds with folds of neighbouring rows, and look for one group on both sides of the split.

    Flagged when the shuffled score is better by more than ``limit`` and by more than two standard errors. Answers are
    first put in file order evenly, so that a sorted file alone does not raise it.
    """

    limit: float = 0.02
    folds: int = 5

    name: ClassVar[str] = "grouping"
    label: ClassVar[str] = "rows that belong together"
    rank: ClassVar[int] = 80
    sizes: ClassVar[tuple[int | None, ...]] = (4000, 1500)
    why: ClassVar[str] = "If rows of one person or day stand on both sides of the split, the score promises too much."
    cannot_see: ClassVar[str] = "Groups whose rows are spread over the whole file, when no column names them."
    references: ClassVar[tuple[str, ...]] = ("Kapoor and Narayanan (2023), arXiv:2207.07048",)

    def unsuited(self, context: Context) -> str:
        """Neighbours in the file mean something only if the order was kept."""
        return "there are fewer than 200 rows." if len(context.development) < 200 else ""

    def estimate(self, context: Context, rows: int) -> float:
        """Return seconds: two rounds of five forests, and a planted round."""
        width = 256 if context.is_images else len(context.schema.columns)
        tries = max(2.0, 0.5 * width) if context.is_regression else max(2.0, math.sqrt(width))
        return 0.2 + 6 * self.folds * rows * 25 * 1.6e-7 * tries

    def inspect(self, context: Context) -> Finding:
        """Compare the two ways of splitting, on the data and on a copy with planted groups."""
        shared = self._shared_groups(context)
        index = context.sample(self.name)
        X, target = tree_matrix(context.table.rows.take(index)), context.labels(index)
        order = _even(target, context.is_regression)
        gap, error, before, after = self._gap(context, X, target, order)
        planted, false = self._self_test(context, X, target)
        hit = gap > self.limit and gap > 2 * error
        kind = Kind("files whose blocks of rows share a mark and an answer", 1, int(planted))
        proof = Planting((kind,), 1, int(false), "shuffled copies")
        fields: dict[str, Any] = {
            "evidence": {"n": len(index), "k": int(hit), "shared_groups": shared, "examples": []},
            "effect": {
                "metric": "share of variance explained" if context.is_regression else "accuracy of a quick model",
                "before": before,
                "after": after,
                "low": after - 2 * error,
                "high": after + 2 * error,
            },
            "thresholds": {"gap": self.limit, "standard_errors": 2.0},
            "confidence": proof.to_dict(),
        }
        if shared:
            title = f"{count_of(shared, 'group')} of --group stand on both sides of the split."
            return self.finding("fix_before_use", title, action=("Split again by group.",), **fields)
        if not hit:
            return self.finding("no_problem_found", "Neighbouring rows do not help each other.", **fields)
        if self._kept_apart(context):
            title = "Rows that stand near each other in the file help each other; the split keeps them apart."
            return self.finding("no_problem_found", title, **fields)
        action = (
            "Ask what rows next to each other share: a person, a place, a day?",
            "Name that column with --group, or the date with --time, and run again.",
        )
        title = "Rows that stand near each other in the file help each other: the score may promise too much."
        return self.finding("look_at_this", title, action=action, **fields)

    @staticmethod
    def _kept_apart(context: Context) -> bool:
        """Return whether the split goes by time, or by a group that most neighbours share."""
        if context.table.time is not None:
            return True
        group = context.table.group
        if group is None:
            return False
        near = group[np.sort(context.development)]
        return bool((near[1:] == near[:-1]).mean() >= 0.5)

    def _gap(
        self, context: Context, X: NDArray[Any], target: NDArray[Any], order: Ints
    ) -> tuple[float, float, float, float]:
        """Return shuffled − neighbouring score, its standard error, and both scores."""
        count = len(target)
        near = np.empty(count, dtype=np.int64)
        near[order] = contiguous_folds(count, self.folds)
        mixed = assign_folds(target, self.folds, context.generator(self.name))
        first, second = self._hits(context, X, target, mixed), self._hits(context, X, target, near)
        paired = first - second
        means = np.array([paired[near == f].mean() for f in range(self.folds)])
        error = float(max(means.std(ddof=1) / np.sqrt(self.folds), paired.std() / np.sqrt(count)))
        return float(paired.mean()), error, float(first.mean()), float(second.mean())

    def _hits(self, context: Context, X: NDArray[Any], target: NDArray[Any], folds: Ints) -> NDArray[np.float64]:
        """Return (b,) 1 for a right answer; for numbers 1 − squared error / variance."""
        classes = len(context.schema.target.classes)
        seed = int(context.generator(self.name, "forest").integers(2**31))
        predicted = out_of_fold(
            lambda: forest(classify=classes > 0, seed=seed, trees=25, leaf=2), X, target, folds, classes=classes
        )
        return hits_of(predicted, target)

    def _self_test(self, context: Context, X: NDArray[Any], target: NDArray[Any]) -> tuple[bool, bool]:
        """Return whether planted blocks are found, and whether a shuffled copy is blamed."""
        generator = context.generator(self.name, "plant")
        shuffle = generator.permutation(len(target))
        X, target = X[shuffle], target[shuffle]
        rows = np.arange(len(target))
        gap, error, _, _ = self._gap(context, X, target, rows)
        false = gap > self.limit and gap > 2 * error
        block = rows // 10
        width = max(6, X.shape[1] // 4)
        mark = generator.standard_normal((int(block.max()) + 1, width))[block].astype(np.float32)
        same = generator.random(int(block.max()) + 1)[block] < 0.5
        answers = np.where(same, target[block * 10], target)
        gap, error, _, _ = self._gap(context, np.concatenate([X, mark], axis=1), answers, rows)
        return bool(gap > self.limit and gap > 2 * error), bool(false)

    @staticmethod
    def _shared_groups(context: Context) -> int:
        table, test = context.testing
        if context.table.group is None or table.group is None or table is not context.table:
            return 0
        return len(np.intersect1d(context.table.group[context.development], table.group[test]))


def _even(target: NDArray[Any], is_number: bool) -> Ints:
    """Return an order in which file neighbours stay together and every stretch holds all answers evenly."""
    if is_number:
        ranks = np.argsort(np.argsort(target, kind="stable"), kind="stable")
        target = ranks * 10 // max(len(target), 1)
    place = np.zeros(len(target))
    for value in np.unique(target):
        rows = np.flatnonzero(target == value)
        place[rows] = (np.arange(len(rows)) + 0.5) / len(rows)
    return np.argsort(place, kind="stable")
