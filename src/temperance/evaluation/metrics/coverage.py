"""Share of true values inside the stated interval."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from temperance.evaluation.base import REGRESSION, Array, Metric, Outcome


@final
@dataclass(frozen=True)
class IntervalCoverage(Metric):
    """Share of rows whose true value lies in the predicted interval, ends included."""

    name = "interval_coverage"
    better = "neither"
    tasks = REGRESSION
    weighs = True
    words = "the share of true values that lie inside the stated range"
    convention = "ends included; Wilson interval"
    scale = "proportion"

    def applies(self, outcome: Outcome) -> bool:
        """Need a predictor that states intervals."""
        return outcome.task in self.tasks and outcome.low is not None and outcome.high is not None

    def contributions(self, outcome: Outcome) -> Array:
        """Return 1 for a value inside its interval, else 0."""
        inside: Array = ((outcome.target >= outcome.low) & (outcome.target <= outcome.high)).astype(float)
        return inside

    def losses(self, outcome: Outcome) -> Array:
        """Return 1 for a value outside its interval."""
        return 1.0 - self.weighted(outcome)

    def flags(self, outcome: Outcome) -> tuple[str, ...]:
        """Flag a coverage whose interval lies wholly below what is promised."""
        _, high = self.interval(outcome, self.weighted(outcome))
        return (f"below the promised {outcome.coverage:.0%}",) if high < outcome.coverage else ()
