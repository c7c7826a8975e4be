"""What the answers cost under the user's costs, beside simpler ways to answer."""

from __future__ import annotations

from dataclasses import replace
from typing import final

from temperance.evaluation.aspects.base import Aspect, Case, Reading
from temperance.evaluation.decision import priced
from temperance.evaluation.metrics.expected_cost import ExpectedCost
from temperance.records.decision import Decision


@final
class Cost(Aspect):
    """Expected cost per row, and per thousand, beside the most probable class and each class always."""

    name = "cost"
    title = "expected cost of the answers"
    needs = ("probabilities",)

    def why_not(self, case: Case) -> str:
        if case.subject.task == "regression":
            return "costs are of wrong classes"
        return (
            "" if _decision(case) is not None else "no costs are known: give --cost, or a bundle of a study with costs"
        )

    def _measure(self, case: Case) -> Reading:
        decision = _decision(case)
        seen = replace(case.outcome, decision=decision)
        found = ExpectedCost().measure(seen)
        table = priced(seen, case.subject.classes) or {}
        said = f"A thousand answers cost {1000 * found.value:.4g}"
        if found.low is not None and found.high is not None:
            said += f" (between {1000 * found.low:.4g} and {1000 * found.high:.4g})"
        cheaper = [one for one in table.get("others", []) if one["verdict"] == "worse"]
        said += ", in your costs."
        for one in cheaper:
            name = "the most probable class" if one["answer"] is None else f"always {one['answer']!r}"
            said += f" To answer {name} would be cheaper."
        return Reading(self.name, (found,), (said,), table, {"cost": ExpectedCost().contributions(seen)})


def _decision(case: Case) -> Decision | None:
    given = case.settings.get("decision")
    found: Decision | None = given if isinstance(given, Decision) else case.outcome.decision
    return found
