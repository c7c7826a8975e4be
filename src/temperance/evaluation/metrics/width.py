"""Mean width of the stated interval."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from temperance.evaluation.base import REGRESSION, Array, Metric, Outcome


@final
@dataclass(frozen=True)
class IntervalWidth(Metric):
    """Mean of high − low over rows, in units of the target; to be read beside the coverage."""

    name = "interval_width"
    better = "lower"
    tasks = REGRESSION
    weighs = True
    words = "how wide the stated range is on average"
    convention = "mean of high − low; Student interval"

    def applies(self, outcome: Outcome) -> bool:
        """Need a predictor that states intervals."""
        return outcome.task in self.tasks and outcome.low is not None and outcome.high is not None

    def contributions(self, outcome: Outcome) -> Array:
        """Return each row's width."""
        if outcome.low is None or outcome.high is None:
            raise ValueError("no interval: ask applies() first")
        return outcome.high - outcome.low
