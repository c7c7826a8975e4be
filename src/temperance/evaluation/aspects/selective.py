"""What a human would be asked: error among the answers that are left when the least certain ones are handed over."""

from __future__ import annotations

from typing import Any, final

import numpy as np

from temperance.evaluation.aspects.base import Aspect, Case, Reading
from temperance.evaluation.base import Array, Outcome, clustered_wilson
from temperance.evaluation.metrics.aurc import Aurc
from temperance.records.measurement import Measurement

SHARES = (0.0, 0.05, 0.1, 0.2, 0.3, 0.5)
RISKS = (0.01, 0.05)


@final
class Selective(Aspect):
    """The abstention table, the areas under its curve, and how much is answered at a stated risk."""

    name = "selective"
    title = "handing uncertain rows to a human"
    needs = ("probabilities",)

    def why_not(self, case: Case) -> str:
        return (
            "values state no certainty by which rows could be handed over" if case.subject.task == "regression" else ""
        )

    def _measure(self, case: Case) -> Reading:
        seen = case.outcome
        order = np.argsort(-seen.confidence, kind="stable")
        error = levelled(1.0 - seen.sure[order], seen.confidence[order])
        table = [_row(seen, order, share) for share in SHARES]
        found = [
            Aurc(seed=case.seed).measure(seen),
            Measurement("eaurc", area(error) - best_area(error), None, None, seen.n, better="lower",
                        convention="aurc less that of a perfect order of the same errors"),
            Measurement("augrc", generalized(error), None, None, seen.n, better="lower",
                        convention="mean over k of (errors among the k most certain) / n; Traub et al. 2024"),
        ]  # fmt: skip
        found += [
            Measurement(
                f"error_at_{round(100 * row['answered'])}", row["error"], row["low"], row["high"], row["n"],
                better="lower", convention="error of the most certain rows; Wilson interval",
            )
            for row in table
        ]  # fmt: skip
        risks = {str(risk): coverage_at(error, risk) for risk in RISKS}
        return Reading(
            self.name, tuple(found), tuple(_sentences(table)),
            {"table": table, "answered_at_risk": risks}, {"confidence": seen.confidence},
        )  # fmt: skip


def _row(seen: Outcome, order: Any, share: float) -> dict[str, Any]:
    kept = order[: max(1, round((1 - share) * seen.n))]
    wrong = 1.0 - seen.sure[kept]
    low, high = clustered_wilson(wrong, None if seen.groups is None else seen.groups[kept])
    limit = float(seen.confidence[kept].min())
    return {"handed_over": share, "answered": 1 - share, "n": len(kept), "error": float(wrong.mean()), "low": low,
            "high": high, "confidence_from": limit}  # fmt: skip


def _sentences(table: list[dict[str, Any]]) -> list[str]:
    whole, some = table[0], next(row for row in table if row["handed_over"] == 0.1)
    if whole["error"] == 0:
        return ["It made no mistake on these rows; nothing needs to be handed over."]
    if some["error"] >= whole["error"]:
        return [
            "Handing over the rows that it is least certain of would not help: the error of the others is "
            f"{100 * some['error']:.1f} in 100, of all {100 * whole['error']:.1f}."
        ]
    return [
        f"Hand the least certain 10 of 100 rows to a human, and the error falls from {100 * whole['error']:.1f} to "
        f"{100 * some['error']:.1f} in 100 (between {100 * some['low']:.1f} and {100 * some['high']:.1f}). It "
        f"answers alone from a certainty of {100 * some['confidence_from']:.0f} of 100 on."
    ]


def levelled(error: Array, confidence: Array) -> Array:
    """Return errors in the order of falling confidence, equal confidences sharing their mean error.

    Shapes: (b,) → (b,).
    """
    _, code, count = np.unique(confidence, return_inverse=True, return_counts=True)
    level: Array = (np.bincount(code, weights=error) / count)[code]
    return level


def area(error: Array) -> float:
    """Return the mean over k of the mean error of the first k.

    Shapes: (b,).
    """
    return float((np.cumsum(error) / np.arange(1, len(error) + 1)).mean())


def best_area(error: Array) -> float:
    """Return the area of the order that puts every error last.

    Shapes: (b,).
    """
    n, wrong = len(error), round(float(error.sum()))
    k = np.arange(n - wrong + 1, n + 1)
    return float(((k - (n - wrong)) / k).sum() / n) if wrong else 0.0


def generalized(error: Array) -> float:
    """Return the mean over k of (errors among the first k) / n: AUGRC.

    Shapes: (b,).

    References:
        Traub et al. (2024), arXiv:2407.01032.

    """
    return float((np.cumsum(error) / len(error)).mean())


def coverage_at(error: Array, risk: float) -> float:
    """Return the largest share of rows, the most certain first, whose error is at most ``risk``; 0 where there is none.

    Shapes: (b,).
    """
    running = np.cumsum(error) / np.arange(1, len(error) + 1)
    kept = np.flatnonzero(running <= risk + 1e-12)
    return float((kept[-1] + 1) / len(error)) if len(kept) else 0.0
