"""The result of an evaluation, and the function that makes it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from temperance.evaluation.base import Array, Outcome
from temperance.evaluation.decision import priced
from temperance.evaluation.diagram import Bin, reliability
from temperance.evaluation.fragility import Fragility, fragility
from temperance.evaluation.metrics.aurc import abstention
from temperance.evaluation.metrics.registry import metric as find_metric
from temperance.evaluation.metrics.registry import select
from temperance.evaluation.prediction import check_index, observe
from temperance.evaluation.ranges import ranged
from temperance.evaluation.robustness import Robustness, probe
from temperance.evaluation.slicing import Slice, slices, worst
from temperance.records.errors import SettingError, nearest
from temperance.records.measurement import Measurement
from temperance.records.predictor import Predictor
from temperance.records.table import Table

Suite = Literal["quick", "standard", "publish"]
Left = tuple[tuple[str, str], ...]


class _Effort(NamedTuple):
    basic: bool
    repeats: int
    rows: int | None
    images: int | None


UNBINNED: Left = (("calibration of the stated chances", "its bins count rows, and these have weights"),)
SUITES: dict[str, _Effort] = {
    "quick": _Effort(basic=True, repeats=1, rows=1000, images=256),
    "standard": _Effort(basic=False, repeats=5, rows=5000, images=1000),
    "publish": _Effort(basic=False, repeats=20, rows=None, images=10_000),
}


@dataclass(frozen=True, eq=False)
class Evaluation:
    """All that was measured of one model on one set of rows.

    Attributes:
        measurements: metrics on the rows as they are, then ``robustness``.
        losses: per-row losses (b,) by metric, lower is better, in the order of ``index``: for ``compare``.
        slices: parts of the rows against the rest, the worst first.
        robustness: what damage to the inputs does, or None where it was left out.
        reliability: bins of the reliability diagram; empty for regression.
        abstention: error rate when the least certain rows are handed to a human; empty for regression.
        fragility: change of the answers when one column is blank or ten times too large, the most fragile column
            first; empty in the quick suite and for images.
        suite: which suite ran.
        seed: of everything random in it.
        n: count of rows.
        seconds: time it took.
        left_out: pairs (what, why).
        outcome: predictions and truth, in the order of ``index``.
        index: row numbers.
        ranged: what the stated ranges hold, see ``ranged``; None without ranges.
        priced: what the answers cost under the user's costs and beside what, see ``priced``; None without costs.

    """

    measurements: tuple[Measurement, ...]
    losses: dict[str, Array] = field(repr=False)
    slices: tuple[Slice, ...]
    robustness: Robustness | None
    reliability: tuple[Bin, ...]
    abstention: tuple[dict[str, float], ...]
    fragility: tuple[Fragility, ...]
    suite: str
    seed: int
    n: int
    seconds: float
    left_out: tuple[tuple[str, str], ...]
    outcome: Outcome = field(repr=False)
    index: NDArray[np.int64] = field(repr=False)
    priced: dict[str, Any] | None = None
    ranged: dict[str, Any] | None = None

    def __getitem__(self, name: str) -> Measurement:
        """Return the measurement of this name.

        Raises:
            SettingError: it was not measured.

        """
        found = {m.name: m for m in self.measurements}
        if name not in found:
            raise SettingError(f"{name!r} was not measured", f"one of {', '.join(found)}", nearest(name, found))
        return found[name]

    @property
    def worst_slice(self) -> Slice | None:
        """Return the slice that is worse by most, or None where none is."""
        return worst(self.slices)

    def hardest(self, *, count: int = 10) -> list[dict[str, Any]]:
        """Return the rows that cost most: row number, truth, prediction, its probability (classes only) and loss."""
        classes = self.outcome.task != "regression"
        name = "log_loss" if classes else "mae"
        loss = find_metric(name).contributions(self.outcome)
        order = np.argsort(-loss, kind="stable")[:count]
        return [
            {
                "row": int(self.index[i]),
                "truth": int(self.outcome.target[i]) if classes else float(self.outcome.target[i]),
                "predicted": int(self.outcome.label[i]) if classes else float(self.outcome.prediction[i]),
                "probability": float(self.outcome.prediction[i, self.outcome.label[i]]) if classes else None,
                "loss": float(loss[i]),
            }
            for i in order
        ]

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-safe fields (without per-row arrays)."""
        return {
            "suite": self.suite,
            "seed": self.seed,
            "n": self.n,
            "seconds": self.seconds,
            "measurements": {m.name: m.to_dict() for m in self.measurements},
            "robustness": None if self.robustness is None else self.robustness.to_dict(),
            "slices": [s.to_dict() for s in self.slices],
            "worst_slice": None if self.worst_slice is None else self.worst_slice.to_dict(),
            "reliability": [b.to_dict() for b in self.reliability],
            "abstention": list(self.abstention),
            "fragility": [f.to_dict() for f in self.fragility],
            "hardest": self.hardest(),
            "decision": self.priced,
            "interval": self.ranged,
            "left_out": [{"what": what, "why": why} for what, why in self.left_out],
        }


def evaluate(
    predictor: Predictor,
    table: Table,
    index: NDArray[Any] | None = None,
    *,
    suite: Suite = "quick",
    seed: int = 0,
    metrics: Sequence[str] | None = None,
    budget_seconds: float | None = None,
    clean_rows: NDArray[Any] | None = None,
    weighted: bool = True,
) -> Evaluation:
    """Measure a model on rows with a known target.

    Args:
        predictor: the model with its preprocessing.
        table: where the rows are.
        index: row numbers, all by default.
        suite: ``quick`` (about a second for a small model), ``standard`` or ``publish`` (more metrics, families of
            damage, draws and rows).
        seed: of everything random.
        metrics: names of metrics; all that fit by default.
        budget_seconds: leave out what would take longer, and name it; metrics and slices always run.
        clean_rows: rows that the spread of columns is measured on (the training rows, for one); ``index`` by default.
        weighted: weigh the rows where the table has weights.

    Raises:
        SettingError: unknown suite or metric.
        DataError: no rows, or predictions or targets that cannot be used.

    """
    start = time.perf_counter()
    rows = check_index(table, index)
    seen = observe(predictor, table, rows)
    return measured(
        seen if weighted else replace(seen, weight=None), table, rows, predictor=predictor, suite=suite, seed=seed,
        metrics=metrics, budget_seconds=budget_seconds, clean_rows=clean_rows, start=start,
    )  # fmt: skip


def measured(
    seen: Outcome,
    table: Table,
    rows: NDArray[np.int64],
    *,
    predictor: Predictor | None,
    suite: Suite = "quick",
    seed: int = 0,
    metrics: Sequence[str] | None = None,
    budget_seconds: float | None = None,
    clean_rows: NDArray[Any] | None = None,
    start: float | None = None,
) -> Evaluation:
    """Measure answers that were given already; see ``evaluate``.

    Shapes: rows (n,).

    Args:
        seen: answers beside the truth, in the order of ``rows``.
        table: where the rows are.
        rows: row numbers.
        predictor: the model, for what needs its answers to altered rows; None: that is left out, and said.
        suite: see ``evaluate``.
        seed: see ``evaluate``.
        metrics: see ``evaluate``.
        budget_seconds: see ``evaluate``.
        clean_rows: see ``evaluate``.
        start: ``time.perf_counter()`` that the budget counts from; now where left out.

    Raises:
        SettingError: unknown suite or metric.

    """
    if suite not in SUITES:
        raise SettingError(f"there is no suite {suite!r}", f"known are {', '.join(SUITES)}", nearest(suite, SUITES))
    start, effort = time.perf_counter() if start is None else start, SUITES[suite]
    deadline = None if budget_seconds is None else start + budget_seconds
    chosen = select(seen, metrics=metrics, basic=effort.basic, seed=seed)
    parts = slices(table, rows, seen)
    figures = [m.measure(seen) for m in chosen]
    toughness, columns = None, tuple[Fragility, ...]()
    left_out: Left = (("robustness to damaged inputs", "not possible from predictions"),)
    more: Left = ()
    if predictor is not None:
        toughness, left_out = _toughness(predictor, table, rows, effort, seed, clean_rows, deadline)
        columns, more = _fragility(predictor, table, rows, effort, seed, deadline)
    return Evaluation(
        tuple(figures) if toughness is None else (*figures, toughness.overall),
        {m.name: m.losses(seen) for m in chosen if m.better != "neither"},
        parts,
        toughness,
        reliability(seen),
        tuple(abstention(seen)) if seen.task != "regression" else (),
        columns,
        suite,
        seed,
        seen.n,
        time.perf_counter() - start,
        (*left_out, *more, *(UNBINNED if seen.weight is not None and seen.task != "regression" else ())),
        seen,
        rows,
        priced(seen, table.schema.target.classes),
        ranged(seen),
    )


def _toughness(
    predictor: Predictor,
    table: Table,
    rows: NDArray[np.int64],
    effort: _Effort,
    seed: int,
    clean_rows: NDArray[Any] | None,
    deadline: float | None,
) -> tuple[Robustness | None, Left]:
    rest = None if deadline is None else deadline - time.perf_counter()
    if rest is not None and rest <= 0:
        return None, (("robustness", "no time left"),)
    probed = probe(
        predictor,
        table,
        rows,
        basic=effort.basic,
        repeats=effort.repeats,
        limit=effort.rows if table.schema.kind == "table" else effort.images,
        seed=seed,
        clean_rows=clean_rows,
        budget_seconds=rest,
    )
    return probed, probed.left_out


def _fragility(
    predictor: Predictor, table: Table, rows: NDArray[np.int64], effort: _Effort, seed: int, deadline: float | None
) -> tuple[tuple[Fragility, ...], Left]:
    if effort.basic or table.schema.kind != "table":
        return (), ()
    rest = None if deadline is None else deadline - time.perf_counter()
    if rest is not None and rest <= 0:
        return (), (("fragility of each column", "no time left"),)
    return fragility(predictor, table, rows, seed=seed, budget_seconds=rest)
