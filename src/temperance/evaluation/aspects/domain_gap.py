"""Does it hold later and elsewhere: the latest rows against the earlier ones, each domain against the rest."""

from __future__ import annotations

from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from temperance.evaluation.aspects.base import Aspect, Case, Reading
from temperance.evaluation.base import Array, Metric, clustered_wilson
from temperance.evaluation.metrics.registry import metric
from temperance.evaluation.slicing import LEAST, gap_of
from temperance.records.measurement import Measurement
from temperance.records.statistics import benjamini_hochberg, mean_interval

LATE = 0.2
PARTS = 5
FALSE_CLAIMS = 0.1


@final
class DomainGap(Aspect):
    """The gap over time (``--time``) and between domains (``--group``) of a model as it stands."""

    name = "domain_gap"
    title = "later rows and other domains"

    def why_not(self, case: Case) -> str:
        if case.table.time is None and case.labels is None:
            return "neither --time nor --group was given"
        return ""

    def _measure(self, case: Case) -> Reading:
        chosen = metric("mae" if case.subject.task == "regression" else "accuracy")
        values = chosen.contributions(case.outcome)
        found: list[Measurement] = []
        said: list[str] = []
        details: dict[str, Any] = {"metric": chosen.name}
        left: list[tuple[str, str]] = []
        if case.table.time is not None:
            made = _over_time(case, chosen, values)
            if isinstance(made, str):
                left.append(("the gap over time", made))
            else:
                found.append(made)
                said.append(_time_sentence(made, chosen))
                details["by_time"] = _by_time(case, chosen, values)
        if case.labels is not None:
            rows, worst = _by_domain(case, chosen, values)
            details["by_domain"] = rows
            found += [worst] if worst is not None else []
            said += _domain_sentences(rows, chosen)
            if worst is None:
                left.append(("the worst domain", f"no two domains have {LEAST} rows"))
        return Reading(self.name, tuple(found), tuple(said), details, not_done=tuple(left))


def _over_time(case: Case, chosen: Metric, values: Array) -> Measurement | str:
    when = case.table.time
    assert when is not None
    order = np.argsort(when[case.index], kind="stable")
    cut = len(order) - max(1, round(LATE * len(order)))
    late, early = order[cut:], order[:cut]
    if min(len(late), len(early)) < LEAST:
        return f"{len(order)} rows are too few: the latest fifth needs {LEAST}"
    groups = case.outcome.groups
    sides = (None, None) if groups is None else (groups[late], groups[early])
    gap, low, high, _ = gap_of(values[late], values[early], sides, binary=chosen.scale == "proportion")
    return Measurement(
        "time_gap", gap, _end(low), _end(high), len(order), better=chosen.better,
        convention=f"{chosen.name} of the latest fifth of rows − that of all earlier ones; the model is as it stands",
    )  # fmt: skip


def _by_time(case: Case, chosen: Metric, values: Array) -> list[dict[str, Any]]:
    when = case.table.time
    assert when is not None
    moments = when[case.index]
    parts = np.array_split(np.argsort(moments, kind="stable"), PARTS)
    return [
        {"from": float(moments[p].min()), "to": float(moments[p].max()), **_figure(values[p], chosen)} for p in parts
    ]


def _figure(values: Array, chosen: Metric) -> dict[str, Any]:
    binary = chosen.scale == "proportion"
    low, high = clustered_wilson(values, None) if binary else mean_interval(values)
    return {"n": len(values), "value": float(values.mean()), "low": _end(low), "high": _end(high)}


def _by_domain(case: Case, chosen: Metric, values: Array) -> tuple[list[dict[str, Any]], Measurement | None]:
    assert case.labels is not None
    labels: NDArray[Any] = case.labels[case.index]
    rows: list[dict[str, Any]] = []
    for name in np.unique(labels):
        inside = labels == name
        small = min(int(inside.sum()), int((~inside).sum())) < LEAST
        gap, low, high, p = gap_of(values[inside], values[~inside], (None, None), binary=chosen.scale == "proportion")
        rows.append({
            "domain": str(name), **_figure(values[inside], chosen), "difference": gap, "difference_low": _end(low),
            "difference_high": _end(high), "p": 1.0 if small else p, "state": "too_small" if small else "same",
        })  # fmt: skip
    told = [row for row in rows if row["state"] == "same"]
    sign = 1.0 if chosen.better == "higher" else -1.0
    for row, p in zip(told, benjamini_hochberg([row["p"] for row in told]), strict=True):
        row["p"] = p
        low, high = row["difference_low"], row["difference_high"]
        if p <= FALSE_CLAIMS and low is not None and high is not None and not low <= 0 <= high:
            row["state"] = "worse" if sign * row["difference"] < 0 else "better"
    rows.sort(key=lambda row: sign * row["value"])
    lowest = next((row for row in rows if row["state"] != "too_small"), None)
    if lowest is None:
        return rows, None
    worst = Measurement(
        "worst_domain", lowest["value"], lowest["low"], lowest["high"], lowest["n"], better=chosen.better,
        convention=f"{chosen.name} of {lowest['domain']}, the worst of {len(told)} domains with {LEAST} rows",
    )  # fmt: skip
    return rows, worst


def _time_sentence(gap: Measurement, chosen: Metric) -> str:
    if gap.low is None or gap.high is None or gap.low <= 0 <= gap.high:
        return "The latest fifth of the rows shows no clear change against the earlier ones."
    worse = (gap.value < 0) == (chosen.better == "higher")
    return (
        f"On the latest fifth of the rows {chosen.name} is {'worse' if worse else 'better'} by {abs(gap.value):.3g} "
        f"than on the earlier ones (between {min(abs(gap.low), abs(gap.high)):.3g} and "
        f"{max(abs(gap.low), abs(gap.high)):.3g})."
    )


def _domain_sentences(rows: list[dict[str, Any]], chosen: Metric) -> list[str]:
    worse = [row for row in rows if row["state"] == "worse"]
    few = sum(row["state"] == "too_small" for row in rows)
    said = [
        f"In {row['domain']} ({row['n']:,} rows) {chosen.name} is {row['value']:.3g}, {row['difference']:+.3g} against "
        "all others."
        for row in worse[:3]
    ]
    said = said or [f"No domain of {len(rows) - few} is clearly worse than the others."]
    return [*said, *([f"{few} domains have too few rows to tell."] if few else [])]


def _end(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
