"""Where the model does worse: each category and each quarter of a numeric column against all other rows."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from temperance.evaluation.base import Array, Metric, Outcome, clustered_wilson
from temperance.evaluation.metrics.registry import metric as find_metric
from temperance.records.distributions import normal_quantile, normal_tail, t_quantile, t_tail
from temperance.records.measurement import Measurement
from temperance.records.schema import Column
from temperance.records.statistics import benjamini_hochberg, mean_interval, newcombe, pool_groups
from temperance.records.table import Table

State = Literal["worse", "better", "same", "too_small"]
Kind = Literal["answer", "group"]
LEAST = 30  # rows below which nothing is said
FALSE_CLAIMS = 0.1  # expected share of false claims among slices called worse
LAST_DAY = 2_900_000  # days since 1970 of the year 9910: what lies beyond is no date
_VALUES = 12  # categories looked at per column, the most frequent first
_COLUMNS = 200
_ROWS = 100_000  # rows looked at, a random part above


@dataclass(frozen=True)
class Slice:
    """One part of the rows.

    Attributes:
        column: name of the column (or of the target, for slices by true class).
        value: the category, or a range such as ``1.5 to 2``.
        n: rows in it.
        measurement: the metric on the slice.
        difference: slice − all other rows, in the metric's units.
        p: adjusted for the count of slices (Benjamini-Hochberg); 1 where too small.
        state: ``worse``, ``better``, ``same`` (no evidence of either) or ``too_small``.
        kind: ``answer`` for the rows of one true class (its accuracy is that class's recall), else ``group``.

    """

    column: str
    value: str
    n: int
    measurement: Measurement
    difference: Measurement
    p: float
    state: State
    kind: Kind = "group"

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-safe fields."""
        return {
            "column": self.column,
            "value": self.value,
            "n": self.n,
            "measurement": self.measurement.to_dict(),
            "difference": self.difference.to_dict(),
            "p": self.p,
            "state": self.state,
            "kind": self.kind,
        }


def slices(table: Table, index: NDArray[Any], outcome: Outcome, *, metric: str | None = None) -> tuple[Slice, ...]:
    """Measure every slice and say which are worse, the worst first.

    Shapes: index (n,).

    Args:
        table: where the columns are.
        index: rows that ``outcome`` was made from, in its order.
        outcome: predictions and truth.
        metric: ``accuracy`` (default for classes), ``mae`` (default for values) or another mean over rows.

    Above 100,000 rows a random part of so many is looked at, the same each time. A slice is ``worse`` (``better``)
    when its adjusted p is at most 0.1 and the interval of its difference leaves out zero, so of all slices called so
    about one in ten is not. Groups are corrected among groups, answers among answers.

    """
    if len(index) > _ROWS:
        part = np.sort(np.random.default_rng([0, 0x511CE]).choice(len(index), size=_ROWS, replace=False))
        index, outcome = index[part], outcome.take(part)
    chosen = find_metric(metric or ("mae" if outcome.task == "regression" else "accuracy"))
    values = chosen.contributions(outcome)
    parts = [("answer", part) for part in _answers(table, outcome)] + [("group", part) for part in _parts(table, index)]
    found = [replace(_judge(*part, values, chosen, outcome), kind=kind) for kind, part in parts]  # type: ignore[arg-type]
    sign = 1.0 if chosen.better == "higher" else -1.0
    done = [_called(s, sign) for kind in ("answer", "group") for s in _adjusted([s for s in found if s.kind == kind])]
    rank = {"worse": 0, "same": 1, "better": 2, "too_small": 3}
    return tuple(sorted(done, key=lambda s: (rank[s.state], sign * s.difference.value)))


def worst(found: tuple[Slice, ...]) -> Slice | None:
    """Return the slice that is worse by most, or None where none is."""
    return next((s for s in found if s.state == "worse"), None)


def _adjusted(found: list[Slice]) -> list[Slice]:
    numbers = iter(benjamini_hochberg([s.p for s in found if s.state != "too_small"]))
    return [s if s.state == "too_small" else replace(s, p=next(numbers)) for s in found]


def _called(s: Slice, sign: float) -> Slice:
    """Call a slice worse or better where its adjusted p and the interval of its difference agree on it."""
    low, high = s.difference.low, s.difference.high
    if s.state == "too_small" or s.p > FALSE_CLAIMS or low is None or high is None or low <= 0 <= high:
        return s
    return replace(s, state="worse" if sign * s.difference.value < 0 else "better")


def _answers(table: Table, outcome: Outcome) -> Iterator[tuple[str, str, NDArray[np.bool_]]]:
    """Yield (target, class, mask) of the rows of every true class."""
    if outcome.task != "regression":
        target = table.schema.target
        for c in np.unique(outcome.target):
            yield target.name, target.classes[c], outcome.target == c


def _parts(table: Table, index: NDArray[Any]) -> Iterator[tuple[str, str, NDArray[np.bool_]]]:
    """Yield (column, value, mask) of every group; a column with one value gives none."""
    schema = table.schema
    for j, column in enumerate(schema.categorical[:_COLUMNS]):
        codes = table.rows.categorical[index, j]
        seen, count = np.unique(codes, return_counts=True)
        for code in seen[np.argsort(-count, kind="stable")][:_VALUES] if len(seen) > 1 else []:
            yield column.name, _category(column, int(code)), codes == code
    for j, column in enumerate(schema.numeric[:_COLUMNS]):
        yield from _numeric(column, np.asarray(table.rows.numeric[index, j], dtype=np.float64))


def _numeric(column: Column, x: Array) -> Iterator[tuple[str, str, NDArray[np.bool_]]]:
    known = np.isfinite(x)
    if not known.all() and known.any():
        yield column.name, "(missing)", ~known
    if not known.any():
        return
    some = x[known]
    distinct = np.unique(some)
    if len(distinct) <= 6:
        for value in distinct if len(distinct) > 1 else []:
            yield column.name, said(column, value), x == value
        return
    edges = np.unique(np.quantile(some, [0.25, 0.5, 0.75]))
    code = np.searchsorted(edges, x, side="right")
    for b in range(len(edges) + 1):
        inside = known & (code == b)
        if inside.any():
            yield column.name, f"{said(column, x[inside].min())} to {said(column, x[inside].max())}", inside


def said(column: Column, value: float) -> str:
    """Write a value of a column as its owner knows it: days since 1970 as a date."""
    if column.part == "days" and abs(value) < LAST_DAY:
        return str(np.datetime64("1970-01-01", "D") + np.timedelta64(math.floor(value), "D"))
    return f"{value:.4g}"


def _category(column: Column, code: int) -> str:
    if code >= 0:
        return column.vocabulary[code]
    return "(missing)" if code == -1 else "(unseen)"


def _judge(name: str, value: str, inside: NDArray[np.bool_], values: Array, chosen: Metric, outcome: Outcome) -> Slice:
    here, there = values[inside], values[~inside]
    groups = outcome.groups
    sides = (None, None) if groups is None else (groups[inside], groups[~inside])
    n = len(here)
    if chosen.scale == "proportion":
        low, high = clustered_wilson(here, sides[0])
    else:
        low, high = mean_interval(pool_groups(here, sides[0]))
    measurement = Measurement(
        chosen.name, float(here.mean()), _end(low), _end(high), n, convention=chosen.convention, better=chosen.better
    )
    gap, low, high, p = gap_of(here, there, sides, binary=chosen.scale == "proportion")
    difference = Measurement(
        f"difference/{chosen.name}",
        gap,
        _end(low),
        _end(high),
        n,
        convention="slice − all other rows",
        better=chosen.better,
    )
    small = min(n, len(there)) < LEAST
    return Slice(name, value, n, measurement, difference, 1.0 if small else p, "too_small" if small else "same")


def gap_of(here: Array, there: Array, sides: tuple[Any, Any], *, binary: bool) -> tuple[float, float, float, float]:
    """Return difference, interval and p of two independent parts: score test for shares, else Welch's t test."""
    if len(there) == 0:
        return 0.0, math.nan, math.nan, 1.0
    gap = float(here.mean() - there.mean())
    if binary and sides[0] is None:
        k1, k2, n1, n2 = int(here.sum()), int(there.sum()), len(here), len(there)
        share = (k1 + k2) / (n1 + n2)
        error = math.sqrt(share * (1 - share) * (1 / n1 + 1 / n2))
        return gap, *newcombe((k1, n1), (k2, n2)), normal_tail(gap / error) if error > 0 else 1.0
    a, b = pool_groups(here, sides[0]), pool_groups(there, sides[1])
    if min(len(a), len(b)) < 2:
        return gap, math.nan, math.nan, 1.0
    va, vb = float(a.var(ddof=1)) / len(a), float(b.var(ddof=1)) / len(b)
    error = math.sqrt(va + vb)
    if error == 0:
        return gap, gap, gap, 1.0 if gap == 0 else 0.0
    df = (va + vb) ** 2 / (va**2 / (len(a) - 1) + vb**2 / (len(b) - 1))
    half = (t_quantile(0.975, df=df) if df < 1e6 else normal_quantile(0.975)) * error
    return gap, gap - half, gap + half, t_tail(gap / error, df=df)


def _end(value: float) -> float | None:
    return value if math.isfinite(value) else None
