"""Odd values of a numeric target: far from what a model that did not see them expects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from temperance.audit.base import CHECKS, Check, count_of
from temperance.audit.context import Context
from temperance.audit.crossfit import assign_folds, forest, out_of_fold, r2
from temperance.audit.features import tree_matrix
from temperance.audit.planting import Kind, Planting
from temperance.records.finding import Finding

Floats = NDArray[np.float64]
SCALED_MAD = 1.4826  # makes the median absolute deviation of a normal distribution its standard deviation


@CHECKS.add
@dataclass(frozen=True)
class Values(Check):
    """Flag rows whose out-of-fold residual is ≥ ``limit`` local spreads (1.4826 × median |residual|), in two seeds.

    The local spread is taken over the ``window`` rows with the nearest predictions, but never below half of the
    spread of all rows. Below ``quality`` (R²), or when more than ``most`` is flagged, a ranked list is shown without a
    count.
    """

    limit: float = 4.0
    window: int = 101
    quality: float = 0.5
    most: float = 0.08
    serious: float = 0.03
    folds: int = 5
    planted: float = 0.03

    name: ClassVar[str] = "values"
    label: ClassVar[str] = "odd answers"
    rank: ClassVar[int] = 71
    sizes: ClassVar[tuple[int | None, ...]] = (5000, 2500, 1000)
    why: ClassVar[str] = "A wrong number as answer pulls the model away, and more so the larger the mistake."
    cannot_see: ClassVar[str] = "Small mistakes, and mistakes in rows that models cannot judge."

    def unsuited(self, context: Context) -> str:
        """Numbers as answers are needed."""
        if not context.is_regression:
            return "the answer is a class; see the check for wrong labels."
        return "" if len(context.development) >= 60 else "there are fewer than 60 rows."

    def estimate(self, context: Context, rows: int) -> float:
        """Return seconds: four rounds of five forests."""
        width = 256 if context.is_images else len(context.schema.columns)
        return 0.3 + 4 * self.folds * rows * 30 * 1.4e-7 * max(2.0, 0.5 * width)

    def inspect(self, context: Context) -> Finding:
        """Flag residuals, then plant exchanged answers and count how many come back."""
        index = context.sample(self.name)
        X, target = tree_matrix(context.table.rows.take(index)), context.labels(index).astype(np.float64)
        flagged, size, expected, quality = self._flag(context, X, target)
        share = float(flagged.mean())
        order = np.argsort(-size, kind="stable")
        thresholds = {"spreads": self.limit, "R2": self.quality, "most_flagged": self.most, "serious": self.serious}
        confidence: dict[str, Any] = {"model_quality": quality}

        def examples(rows: NDArray[np.int64]) -> list[dict[str, Any]]:
            return [{"row": index[i], "given": target[i], "expected": expected[i], "spreads": size[i]} for i in rows]

        action: tuple[str, ...]
        reason = self._gate(quality, share)
        if reason:
            evidence = {"n": len(index), "k": None, "examples": examples(order[:20])}
            action = ("Look at the rows of the list. They are the first ones worth a check, not a count of mistakes.",)
            return self.not_tested(
                reason, evidence=evidence, confidence=confidence, thresholds=thresholds, action=action
            )
        k = int(flagged.sum())
        listed = order[flagged[order]]
        confidence.update(self._self_test(context, X, target, flagged))
        verb = "is" if k == 1 else "are"
        title = f"{count_of(k, 'answer')} of {len(index):,} looked at {verb} far from what is expected."
        action = ("Look at the listed rows. Check unit, decimal point and copying.",) if k else ()
        return self.finding(
            "no_problem_found" if not k else "fix_before_use" if share >= self.serious else "look_at_this",
            title if k else f"None of {len(index):,} answers looked at is far from what is expected.",
            evidence={"n": len(index), "k": k, "rows": index[listed][:1000], "examples": examples(listed[:20])},
            confidence=confidence,
            thresholds=thresholds,
            action=action,
        )

    def _gate(self, quality: float, share: float) -> str:
        if quality < self.quality:
            part = max(0, round(100 * quality))
            return f"a quick model explains only {part} of 100 parts of the answer, so it cannot count mistakes."
        if share > self.most:
            return f"a quick model finds {100 * share:.0f} of 100 answers odd, too many to be a count of mistakes."
        return ""

    def _flag(
        self, context: Context, X: NDArray[Any], target: Floats
    ) -> tuple[NDArray[np.bool_], Floats, Floats, float]:
        """Return flags, residuals in local spreads, expected values and R² of rows that are not flagged."""
        sizes, predictions = [], []
        for s in range(2):
            seed = int(context.generator(self.name, str(s)).integers(2**31))
            folds = assign_folds(target, self.folds, np.random.default_rng(seed))
            predicted = out_of_fold(
                lambda seed=seed: forest(classify=False, seed=seed, trees=30, leaf=2), X, target, folds, classes=0
            )
            predictions.append(predicted)
            sizes.append(np.abs(target - predicted) / self._spread(predicted, np.abs(target - predicted)))
        size, expected = np.minimum(*sizes), np.mean(predictions, axis=0)
        flagged = size >= self.limit
        return flagged, size, expected, r2(target[~flagged], expected[~flagged])

    def _spread(self, predicted: Floats, residual: Floats) -> Floats:
        order = np.argsort(predicted, kind="stable")
        window = min(self.window, len(order))
        middle = np.median(np.lib.stride_tricks.sliding_window_view(residual[order], window), axis=1)
        left = (len(order) - len(middle)) // 2
        local = np.empty(len(order))
        local[order] = np.pad(middle, (left, len(order) - len(middle) - left), mode="edge")
        floor = max(0.5 * float(np.median(residual)), 1e-12)
        spread: Floats = SCALED_MAD * np.maximum(local, floor)
        return spread

    def _self_test(
        self, context: Context, X: NDArray[Any], target: Floats, flagged: NDArray[np.bool_]
    ) -> dict[str, Any]:
        """Give some rows the answer of another row that is at least one standard deviation away."""
        generator = context.generator(self.name, "plant")
        count = max(5, round(self.planted * len(target)))
        chosen = generator.choice(np.flatnonzero(~flagged), size=count, replace=False)
        changed = target.copy()
        for i in chosen:
            far = np.flatnonzero(np.abs(target - target[i]) >= np.std(target))
            changed[i] = target[generator.choice(far)] if len(far) else target[i] + 3 * np.std(target)
        again = self._flag(context, X, changed)[0]
        found = int(again[chosen].sum())
        clean = np.setdiff1d(np.flatnonzero(~flagged), chosen)
        return Planting((Kind("wrong answers", count, found),), len(clean), int(again[clean].sum())).to_dict()
