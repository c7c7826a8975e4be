"""Choose how to answer under the user's costs, on held-out rows; then tell on test rows what that choice is worth."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from temperance.evaluation.base import Outcome
from temperance.evaluation.comparison import Comparison, compare
from temperance.evaluation.metrics.expected_cost import ExpectedCost
from temperance.records.decision import Costs, Decision
from temperance.records.statistics import holm, pool_groups, standard_error

SURE = 3.0  # standard errors by which held-out rows must prefer the best of many thresholds to the stated one
LEVEL = 0.05  # of all verdicts together
NEAR = 0.005  # thresholds this near to the one in use are not told beside it
GRID = (0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)


def decide(
    probabilities: NDArray[Any],
    truth: NDArray[Any],
    costs: Costs,
    *,
    sample_weight: NDArray[Any] | None = None,
    groups: NDArray[Any] | None = None,
    sure: float = SURE,
) -> Decision:
    """Choose how to answer, on rows that the model did not learn.

    The threshold that the costs state is best where probabilities are true, and owes nothing to chance. Another one, of
    least cost on these rows, takes its place only where it is cheaper by ``sure`` standard errors. For more than two
    classes the costs decide.

    Shapes: probabilities (b, c), truth (b,) class codes.

    Args:
        probabilities: calibrated, of held-out rows; never of test rows.
        truth: what was true.
        costs: what mistakes cost.
        sample_weight: (b,) weights, or None.
        groups: (b,) labels of rows that belong together, or None.
        sure: 0 follows the rows, infinity the costs.

    """
    stated = Decision(costs).stated
    if stated is None or not len(truth):
        return Decision(costs)
    found = _cheapest(probabilities[:, 1], truth, costs, sample_weight)
    first, second = (costs.of_rows(truth, Decision(costs, t).answers(probabilities)) for t in (stated, found))
    weight = np.ones(len(truth)) if sample_weight is None else sample_weight / np.mean(sample_weight)
    saved = (first - second) * weight
    error = standard_error(pool_groups(saved, groups)) if len(truth) > 1 else np.inf
    kept = found if np.isfinite(error) and saved.mean() > sure * error and saved.mean() > 0 else stated
    return Decision(costs, float(kept), len(truth))


def _cheapest(chance: NDArray[Any], truth: NDArray[Any], costs: Costs, weight: NDArray[Any] | None) -> float:
    """Return the threshold of least cost on these rows: halfway between two probabilities, in the longest such gap."""
    order = np.argsort(-chance, kind="stable")
    sorted_chance, known = chance[order], truth[order]
    per_row = costs.array[known, 1] - costs.array[known, 0]
    per_row = per_row if weight is None else per_row * weight[order]
    total = np.concatenate([[0.0], np.cumsum(per_row)])  # cost of answering the second class for the k most likely rows
    ends = np.concatenate([[np.nextafter(1.0, 2.0)], sorted_chance, [0.0]])
    gap = ends[:-1] - ends[1:]
    gap[(ends[:-1] == ends[1:])] = -1.0
    best = np.flatnonzero((total <= total[gap >= 0].min() + 1e-12) & (gap >= 0))
    k = int(best[np.argmax(gap[best])])
    return float((ends[k] + ends[k + 1]) / 2)


def priced(seen: Outcome, classes: tuple[str, ...]) -> dict[str, Any] | None:
    """Return what the decision costs on these rows and beside what, JSON-safe; None for answers without costs.

    ``expected`` is the mean cost of a row. ``others`` are to answer the most probable class (``answer`` None), and
    always one class: each with its own mean, and the paired ``difference`` to ours (below 0: ours is cheaper; p values
    corrected by Holm). Of two classes, ``case`` is dearer to miss; ``limit`` is its threshold in use and ``stated``
    the one that the costs alone give; ``table`` says what other thresholds would have cost.
    """
    decision = seen.decision
    if decision is None:
        return None
    ours = ExpectedCost().losses(seen)
    rivals = [(None, seen.top), *((name, np.full(seen.n, k)) for k, name in enumerate(classes))]
    found = [
        compare(ours, ExpectedCost().losses(replace(seen, fixed=answer)), groups=seen.groups) for _, answer in rivals
    ]
    raised = holm([one.p for one in found])
    others = [_other(seen, name, answer, one, p) for (name, answer), one, p in zip(rivals, found, raised, strict=True)]
    return {
        **decision.to_dict(), "prices": [one._asdict() for one in decision.costs.prices],
        "expected": ExpectedCost().measure(seen).to_dict(), "others": others, **_of_two(seen, decision),
    }  # fmt: skip


def _other(seen: Outcome, name: str | None, answer: NDArray[Any], compared: Comparison, p: float) -> dict[str, Any]:
    expected = ExpectedCost().measure(replace(seen, fixed=answer))
    verdict = compared.verdict if p <= LEVEL else "no evidence of difference"
    return {
        "answer": name, "expected": expected.to_dict(), "difference": compared.difference.to_dict(), "p": p,
        "verdict": verdict,
    }  # fmt: skip


def _of_two(seen: Outcome, decision: Decision) -> dict[str, Any]:
    """Return of two classes the one that is dearer to miss, and its threshold: in use, stated by the costs, others."""
    used, stated = decision.limit, decision.stated
    if used is None or stated is None:
        return {"case": None, "limit": None, "stated": None, "moved": False, "table": []}
    case = _case(decision.costs)
    limit, by_costs = (t if case else 1.0 - t for t in (used, stated))
    return {
        "case": decision.costs.classes[case], "limit": limit, "stated": by_costs, "moved": used != stated,
        "table": _table(seen, decision, case),
    }  # fmt: skip


def _case(costs: Costs) -> int:
    """Return which of two classes is dearer to miss; the second among equals."""
    return int(costs.array[1, 0] - costs.array[1, 1] >= costs.array[0, 1] - costs.array[0, 0])


def _table(seen: Outcome, decision: Decision, case: int) -> list[dict[str, Any]]:
    """Return what thresholds for the class ``case`` would have cost; the one in use is marked."""
    used = decision.limit
    if used is None:
        return []
    limit = used if case else 1.0 - used
    truth, rows = seen.target == case, []
    for threshold, ours in sorted([*((t, False) for t in GRID if abs(t - limit) > NEAR), (limit, True)]):
        second = used if ours else threshold if case else 1.0 - threshold
        answer = Decision(decision.costs, second).answers(seen.prediction)
        hit = answer == case
        rows.append({
            "threshold": threshold, "used": ours, "answered": int(hit.sum()), "caught": int((hit & truth).sum()),
            "missed": int((~hit & truth).sum()), "false": int((hit & ~truth).sum()),
            "cost": float(ExpectedCost().losses(replace(seen, fixed=answer)).mean()),
        })  # fmt: skip
    return rows
