"""Mean cost of an answer, in the user's own units."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from temperance.evaluation.base import CLASSIFICATION, Array, Metric, Outcome


@final
@dataclass(frozen=True)
class ExpectedCost(Metric):
    """Mean over rows of cost[true class][answered class], under the costs that the user stated."""

    name = "expected_cost"
    better = "lower"
    tasks = CLASSIFICATION
    weighs = True
    words = "what an answer costs on average, in the costs that you stated"
    convention = "mean over rows of the stated cost; Student interval"

    def applies(self, outcome: Outcome) -> bool:
        """Need costs."""
        return outcome.task in self.tasks and outcome.decision is not None

    def contributions(self, outcome: Outcome) -> Array:
        """Return each row's cost."""
        if outcome.decision is None:
            raise ValueError("no costs: ask applies() first")
        return outcome.decision.costs.of_rows(outcome.target, outcome.label)
