"""Sets of classes, or ranges of values, that hold the truth as often as promised: fitted on half, counted on the rest.

The promise needs new rows like the old ones. It is checked by group and, where rows have a time, on the later half.
"""

from __future__ import annotations

from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from temperance.evaluation.aspects.base import Aspect, Case, Reading
from temperance.evaluation.aspects.splitting import LEAST, halves
from temperance.evaluation.base import Array, Outcome, clustered_wilson
from temperance.evaluation.conformal import coverage_range, half_width, lac_sets, lac_threshold, order_statistic
from temperance.records.measurement import Measurement
from temperance.records.statistics import mean_interval

COVERAGE = 0.9
PER_CLASS = 10  # calibration rows below which a class keeps the common threshold


@final
class Conformal(Aspect):
    """Split conformal: LAC, APS (deterministic) and by class for classes; absolute errors for values."""

    name = "conformal"
    title = "sets that hold the truth as often as promised"
    needs = ("probabilities",)
    tiers = ("standard", "publish")

    def why_not(self, case: Case) -> str:
        if case.table.weight is not None:
            return "its count of calibration rows needs rows that count alike, and these have weights"
        return f"{len(case.index)} rows are too few to fit and to count" if len(case.index) < LEAST else ""

    def _measure(self, case: Case) -> Reading:
        fit, held, how = halves(case, salt=0xC0F)
        seen = case.outcome
        first, rest = seen.take(fit), seen.take(held)
        low, high = coverage_range(len(fit), coverage=COVERAGE)
        details: dict[str, Any] = {"how": how, "promised": COVERAGE, "calibration_rows": len(fit),
                                   "true_coverage_between": [low, high]}  # fmt: skip
        if case.subject.task == "regression":
            half = half_width(first.prediction, first.target, coverage=COVERAGE)
            inside = (np.abs(rest.prediction - rest.target) <= half).astype(np.float64)
            found = [_coverage("split", inside, rest, how)]
            details["half_width"] = half if np.isfinite(half) else None
            covered = {"covered_split": inside}
        else:
            sets = _sets(first, rest)
            covered = {f"covered_{name}": _hit(one, rest) for name, one in sets.items()}
            found = [m for name, one in sets.items() for m in _of_sets(name, one, rest, how)]
        labels = None if case.labels is None else case.labels[case.index][held]
        details["by_group"] = _by_group(next(iter(covered.values())), labels)
        return Reading(
            self.name,
            tuple(found),
            (_sentence(found[0], how, "ranges" if case.subject.task == "regression" else "sets"),),
            details,
            covered,
            case.index[held],
        )


def _sets(first: Outcome, rest: Outcome) -> dict[str, NDArray[np.bool_]]:
    p, y = first.prediction, first.target
    common = lac_threshold(p, y, coverage=COVERAGE)
    limit = order_statistic(aps_scores(p)[np.arange(len(y)), y], coverage=COVERAGE)
    by_class = np.full(p.shape[1], common)
    for k in range(p.shape[1]):
        mine = y == k
        if mine.sum() >= PER_CLASS:
            by_class[k] = 1.0 - order_statistic(1.0 - p[mine, k], coverage=COVERAGE)
    return {
        "lac": lac_sets(rest.prediction, threshold=common),
        "aps": aps_scores(rest.prediction) <= limit,
        "mondrian": rest.prediction >= by_class[None, :],
    }


def aps_scores(probabilities: Array) -> Array:
    """Return for each class the sum of all probabilities at least as large as its own (deterministic APS score).

    Shapes: (b, c) → (b, c).

    References:
        Romano, Sesia, Candès (2020), arXiv:2006.02544, without the random part.

    """
    order = np.argsort(-probabilities, axis=1, kind="stable")
    running = np.cumsum(np.take_along_axis(probabilities, order, axis=1), axis=1)
    out = np.empty_like(running)
    np.put_along_axis(out, order, running, axis=1)
    return out


def _hit(sets: NDArray[np.bool_], rest: Outcome) -> Array:
    hit: Array = sets[np.arange(rest.n), rest.target].astype(np.float64)
    return hit


def _of_sets(name: str, sets: NDArray[np.bool_], rest: Outcome, how: str) -> list[Measurement]:
    size = sets.sum(axis=1).astype(np.float64)
    low, high = mean_interval(size)
    width = Measurement(f"conformal_size/{name}", float(size.mean()), low, high, rest.n, better="lower",
                        convention=f"mean count of classes in a set; fitted on {how}")  # fmt: skip
    return [_coverage(name, _hit(sets, rest), rest, how), width]


def _coverage(name: str, inside: Array, rest: Outcome, how: str) -> Measurement:
    low, high = clustered_wilson(inside, rest.groups)
    return Measurement(f"conformal_coverage/{name}", float(inside.mean()), low, high, rest.n, better="neither",
                       convention=f"{COVERAGE:g} promised; fitted on {how}; Wilson interval")  # fmt: skip


def _by_group(inside: Array, labels: NDArray[Any] | None) -> list[dict[str, Any]]:
    if labels is None:
        return []
    rows = []
    for name in np.unique(labels):
        mine = inside[labels == name]
        low, high = clustered_wilson(mine, None)
        rows.append({"group": str(name), "n": len(mine), "coverage": float(mine.mean()), "low": low, "high": high})
    return sorted(rows, key=lambda row: float(row["coverage"]))


def _sentence(found: Measurement, how: str, what: str) -> str:
    low, high = found.low or 0.0, 1.0 if found.high is None else found.high
    kept = "keep" if low <= COVERAGE <= high else ("hold more than" if low > COVERAGE else "miss")
    return (
        f"{what.capitalize()} fitted on {how}, {kept} their promise of {100 * COVERAGE:.0f} in 100: they held "
        f"the truth for {100 * found.value:.0f} of 100 rows (between {100 * low:.0f} and {100 * high:.0f})."
    )
