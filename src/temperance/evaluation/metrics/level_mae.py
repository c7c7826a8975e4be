"""How many levels an answer is off."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from temperance.evaluation.base import CLASSIFICATION, Array, Metric, Outcome


@final
@dataclass(frozen=True)
class LevelMae(Metric):
    """Mean over rows of |answered level − true level|, of ordered classes."""

    name = "level_mae"
    better = "lower"
    tasks = CLASSIFICATION
    weighs = True
    words = "how many levels the answer is off on average"
    convention = "mean distance in levels of the middle level; Student interval"

    def applies(self, outcome: Outcome) -> bool:
        """Need levels."""
        return outcome.task in self.tasks and outcome.ordered

    def contributions(self, outcome: Outcome) -> Array:
        """Return each row's distance."""
        distance: Array = abs(outcome.label - outcome.target).astype(float)
        return distance
