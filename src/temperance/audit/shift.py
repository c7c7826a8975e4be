"""Test rows that differ from the rows that the model learns from."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from temperance.audit.base import CHECKS, Check, count_of
from temperance.audit.context import Context
from temperance.audit.crossfit import assign_folds, auc, forest, out_of_fold
from temperance.audit.features import tree_matrix
from temperance.audit.planting import Kind, Planting
from temperance.records.finding import Finding

Ints = NDArray[np.int64]


@CHECKS.add
@dataclass(frozen=True)
class Shift(Check):
    """Ask a forest to tell test rows from development rows (adversarial validation); ``limit`` is its ROC AUC."""

    limit: float = 0.80
    some: float = 0.60

    name: ClassVar[str] = "shift"
    label: ClassVar[str] = "test rows of another kind"
    rank: ClassVar[int] = 60
    sizes: ClassVar[tuple[int | None, ...]] = (4000, 1500)
    why: ClassVar[str] = "A test on rows of another kind measures something else than daily use, or warns of a change."
    cannot_see: ClassVar[str] = "A change in how the answer follows from the columns."

    def unsuited(self, context: Context) -> str:
        """Refuse a random split, which cannot shift."""
        if len(context.testing[1]) < 40 or len(context.development) < 40:
            return "there are fewer than 40 rows on one side."
        own = context.test is not None or context.roles.test_is_separate or context.table.time is not None
        return "" if own else "the test rows are a random part of the same file, so they cannot differ in kind."

    def estimate(self, context: Context, rows: int) -> float:
        """Return seconds: three rounds of four forests."""
        width = 256 if context.is_images else len(context.schema.columns)
        return 0.2 + 12 * 2 * rows * 25 * 1.4e-7 * max(2.0, math.sqrt(width))

    def inspect(self, context: Context) -> Finding:
        """Score the forest, a planted shift and a random split; count categories that only the test rows have."""
        table, test = context.testing
        index = context.sample(self.name)
        test = context.sample(f"{self.name} test", len(index), test)
        ours, theirs = tree_matrix(context.table.rows.take(index)), tree_matrix(table.rows.take(test))
        score = self._score(context, ours, theirs)
        half = len(ours) // 2
        mixed = ours[context.generator(self.name, "half").permutation(len(ours))]
        false = self._score(context, mixed[:half], mixed[half:]) >= self.limit
        planted = self._score(context, mixed[:half], self._moved(mixed[half:])) >= self.some
        new = [
            column.name
            for j, column in enumerate(context.schema.categorical)
            if np.setdiff1d(
                table.rows.categorical[test, j], [*np.unique(context.table.rows.categorical[:, j]), -1]
            ).size
        ]
        proof = Planting((Kind("test sets moved by half a spread", 1, int(planted)),), 1, int(false), "random splits")
        fields: dict[str, Any] = {
            "evidence": {"n": len(index) + len(test), "k": int(score >= self.limit), "columns": new[:20], "auc": score},
            "thresholds": {"limit": self.limit, "some": self.some},
            "confidence": proof.to_dict(),
        }
        if score < self.limit and not new:
            return self.finding(
                "no_problem_found", "Test rows look like the rows that the model learns from.", **fields
            )
        title = "The test rows are easy to tell from the rows that the model learns from."
        if score < self.limit:
            title = f"The test rows hold categories that no other row has, in {count_of(len(new), 'column')}."
        action = ("Ask which of the two is like daily use.", "Expect the model to do worse on rows of the other kind.")
        return self.finding("look_at_this", title, action=action, **fields)

    def _score(self, context: Context, first: NDArray[Any], second: NDArray[Any]) -> float:
        X = np.concatenate([first, second])
        side = np.repeat([0, 1], [len(first), len(second)])
        folds = assign_folds(side, 4, context.generator(self.name))
        seed = int(context.generator(self.name, "forest").integers(2**31))
        return auc(
            side, out_of_fold(lambda: forest(classify=True, seed=seed, trees=25, leaf=3), X, side, folds, classes=2)
        )

    @staticmethod
    def _moved(X: NDArray[Any]) -> NDArray[Any]:
        known = np.where(np.isfinite(X), X, np.nan)
        spread = np.zeros(X.shape[1])
        used = ~np.isnan(known).all(axis=0)
        spread[used] = np.nanstd(known[:, used], axis=0)
        return (X + 0.5 * spread).astype(np.float32)
