"""Files that are sorted by the answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from temperance.audit.base import CHECKS, Check
from temperance.audit.context import Context
from temperance.audit.crossfit import assign_folds
from temperance.audit.leaks import Leaks
from temperance.audit.planting import Kind, Planting
from temperance.records.finding import Finding


@CHECKS.add
@dataclass(frozen=True)
class RowOrder(Check):
    """Predict the answer from the row number alone; at ``limit`` (ROC AUC, or R² for numbers) the file seems sorted.

    The score must also beat every one of ``shuffles`` shuffled copies of the file by ``margin``.
    """

    limit: float = 0.60
    limit_r2: float = 0.10
    margin: float = 0.03
    shuffles: int = 5

    name: ClassVar[str] = "row_order"
    label: ClassVar[str] = "a file sorted by the answer"
    rank: ClassVar[int] = 45
    sizes: ClassVar[tuple[int | None, ...]] = (5000, 2000)
    why: ClassVar[str] = "A split in file order would train on one kind of row and test on another."
    cannot_see: ClassVar[str] = "An order that the file had before it was shuffled."

    def unsuited(self, context: Context) -> str:
        """With --time an order is expected, and images of folders are listed class by class."""
        if context.is_images and bool((np.diff(context.table.target) >= 0).all()):
            return "the images are listed class by class, as folders are."
        return "the rows are ordered by --time, so an order is expected." if context.table.time is not None else ""

    def estimate(self, context: Context, rows: int) -> float:
        """Return seconds: four small trees for the file and each shuffled copy."""
        classes = max(len(context.schema.target.classes), 2)
        return 0.03 + (self.shuffles + 2) * (0.004 + rows * (3e-6 + 3e-7 * classes))

    def inspect(self, context: Context) -> Finding:
        """Score the row number, and row numbers of shuffled copies."""
        index = context.sample(self.name)
        target = context.labels(index)
        generator = context.generator(self.name)
        score = self._score(context, index.astype(np.float64), target)
        shuffled = [
            self._score(context, generator.permutation(len(index)).astype(np.float64), target)
            for _ in range(self.shuffles)
        ]
        limit = self.limit_r2 if context.is_regression else self.limit
        bar = max(limit, max(shuffled) + self.margin)
        order = np.argsort(target, kind="stable")
        planted = self._score(context, np.argsort(order).astype(np.float64), target) >= bar
        false = sum(s >= limit for s in shuffled)
        kind = Kind("files sorted by the answer", 1, int(planted))
        proof = Planting((kind,), self.shuffles, false, "shuffled copies")
        fields: dict[str, Any] = {
            "evidence": {"n": len(index), "k": int(score >= bar), "examples": [{"score": score, "shuffled": shuffled}]},
            "thresholds": {"limit": limit, "bar": bar},
            "confidence": proof.to_dict(),
        }
        if score < bar:
            return self.finding("no_problem_found", "The order of the rows does not tell the answer.", **fields)
        action = (
            "Ask how the file was made. If the order is time, give the date column with --time.",
            "If rows were collected in groups (by place, person or day), give that column with --group.",
        )
        title = "Your file seems sorted by the answer, or collected in blocks: the row number tells it."
        return self.finding("look_at_this", title, action=action, **fields)

    @staticmethod
    def _score(context: Context, position: NDArray[np.float64], target: NDArray[Any]) -> float:
        folds = assign_folds(target, 4, context.generator("row_order folds"))
        classes = len(context.schema.target.classes)
        return round(Leaks().score(position, target, folds, classes=classes, is_code=False)[0], 4)
