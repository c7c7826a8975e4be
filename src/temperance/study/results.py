"""Finished trials and what the choice needs of them."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from temperance.evaluation.base import Outcome
from temperance.evaluation.calibration import calibrate
from temperance.evaluation.calibration.temperature import Temperature
from temperance.evaluation.metrics.registry import METRICS, losses, measure
from temperance.records.decision import Decision
from temperance.study.choose import Candidate
from temperance.study.prepare import Prepared
from temperance.study.state import Result


@dataclass(eq=False)
class Scorer:
    """Turns prediction files into losses on the selection rows.

    Classifiers are calibrated by a temperature first (on calibration rows, or on the out-of-fold predictions), so that
    the choice looks at what a calibrator cannot mend. What ships may get a richer map, behind the same gate; trying all
    of them for each trial took up to 1.5 s (10 classes, 5,000 rows) in which its worker waited.
    """

    prepared: Prepared
    work: Path
    _known: dict[str, tuple[Any, ...]] = field(default_factory=dict)

    @property
    def rows(self) -> NDArray[np.int64]:
        """Rows that the choice is made on."""
        return self.prepared.roles.judged

    def mark(self, trial: str, file: str) -> NDArray[np.float64]:
        """Return per-row losses of a half-trained trial; NaN where it has not predicted yet."""
        answer = np.load(self.work / "trials" / trial / file, allow_pickle=False)
        answer = answer[self.rows] if self.prepared.roles.folds else answer
        known = np.isfinite(answer.reshape(len(answer), -1)).all(axis=1)
        found = np.full(len(answer), np.nan)
        found[known] = self.losses(answer[known], self.rows[known])
        return found

    def score(self, result: Result) -> None:
        """Fill in prediction, losses and measurements of a finished trial; what was read before is remembered."""
        known = self._known.get(result.spec.id)
        if known is None:
            folder, files = self.work / "trials" / result.spec.id, result.event["files"]
            answer = np.load(folder / files["selection"], allow_pickle=False)
            held = np.load(folder / files["calibration"], allow_pickle=False) if files["calibration"] else answer
            if self.prepared.roles.folds:
                answer, held = answer[self.rows], held[self.rows]
            self.fill(result, answer, held)
            known = (answer, held, result.prediction, result.losses, result.measurements)
            self._known[result.spec.id] = known
        result.answer, result.held, result.prediction, result.losses, result.measurements = known

    @property
    def _weight(self) -> NDArray[np.float64] | None:
        table = self.prepared.table
        return None if table.weight is None or not self.prepared.weigh_test else np.asarray(table.weight[self.rows])

    def fill(self, result: Result, answer: NDArray[Any], held: NDArray[Any]) -> None:
        """Fill in what follows from answers on the selection rows and on those that calibrate."""
        result.answer, result.held = answer, held
        result.prediction = self._calibrated(answer, held)
        result.losses = self.losses(result.prediction, self.rows)
        outcome = replace(self._outcome(result.prediction, self.rows), weight=self._weight)
        result.measurements = {m.name: m.to_dict() for m in measure(outcome)}

    def losses(self, answer: NDArray[Any], rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return per-row losses of the study's metric, times weight over mean weight where rows have weights."""
        found = losses(self._outcome(answer, rows), self.prepared.metric)
        weight = self.prepared.table.weight
        return found if weight is None else found * weight[rows] / weight[rows].mean()

    def _calibrated(self, answer: NDArray[Any], held: NDArray[Any]) -> NDArray[Any]:
        """Return the answer as a calibrator makes it that did not see the row, where the rows calibrate themselves."""
        table, roles = self.prepared.table, self.prepared.roles
        if table.schema.target.task == "regression":
            return answer
        apart = not roles.folds and len(roles.calibration) > 0
        rows = roles.calibration if apart else self.rows
        found = calibrate(
            held if apart else answer, table.target[rows], candidates=(Temperature,), **table.guides(rows)
        )
        if apart:
            return found.calibrator.apply(answer)
        return found.calibrator.apply(answer) if found.held_out is None else found.held_out

    def _outcome(self, answer: NDArray[Any], rows: NDArray[np.int64]) -> Outcome:
        table, costs = self.prepared.table, self.prepared.costs
        decision = None if costs is None else Decision(costs)  # that of the costs: a threshold is chosen once, for one
        truth, task = np.asarray(table.target[rows]), table.schema.target.task
        reading = table.schema.target.reading
        return Outcome(np.asarray(answer, dtype=np.float64), truth, task, decision=decision, **reading)


def candidate(result: Result, *, max_latency_ms: float | None, max_bytes: float | None) -> Candidate:
    """Return a finished trial as the choice sees it."""
    cost = result.event.get("cost", {})
    latency, size = (math.inf if cost.get(key) is None else float(cost[key]) for key in ("latency_1_ms", "bytes"))
    within = (max_latency_ms is None or latency <= max_latency_ms) and (max_bytes is None or size <= max_bytes)
    within = within and not result.event.get("cannot_export")
    toughness = result.event.get("robustness") or {}
    value = toughness.get("value")
    return Candidate(
        result.spec.id, result.losses if result.losses is not None else np.array([np.inf]),
        math.nan if value is None else float(value), result.seconds, latency, size, within,
    )  # fmt: skip


def metric_card(name: str) -> dict[str, Any]:
    """Return name, direction and words of the metric that decides."""
    cls = METRICS[name]
    return {"name": name, "better": cls.better, "words": getattr(cls, "words", name)}


def natural(loss: float, metric: str) -> float:
    """Return a mean per-row loss in the metric's own unit and direction: squared errors become their root."""
    if metric == "rmse":
        return float(np.sqrt(loss))
    return 1.0 - loss if METRICS[metric].better == "higher" else loss
