"""Share of right answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from temperance.evaluation.base import CLASSIFICATION, Array, Metric, Outcome


@final
@dataclass(frozen=True)
class Accuracy(Metric):
    """Share of rows whose most probable class is the right one."""

    name = "accuracy"
    better = "higher"
    tasks = CLASSIFICATION
    weighs = True
    words = "the share of answers that are right"
    convention = "most probable class; Wilson interval"
    scale = "proportion"

    def contributions(self, outcome: Outcome) -> Array:
        """Return 1 for a right answer, else 0."""
        return outcome.correct
