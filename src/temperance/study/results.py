"""Finished trials and what the choice needs of them."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from temperance.evaluation.base import Outcome
from temperance.evaluation.calibration import fit_temperature
from temperance.evaluation.metrics.registry import METRICS, losses, measure
from temperance.study.choose import Candidate
from temperance.study.prepare import Prepared
from temperance.study.spec import TrialSpec


@dataclass(eq=False)
class Result:
    """One trial: what it was, what came of it.

    Attributes:
        spec: the trial.
        event: what the worker reported, or why it did not run.
        prediction: on the selection rows, tempered; None unless it finished.

    """

    spec: TrialSpec
    event: dict[str, Any]
    prediction: NDArray[Any] | None = None
    losses: NDArray[np.float64] | None = None
    measurements: dict[str, Any] = field(default_factory=dict)

    @property
    def status(self) -> str:
        """``done``, ``discarded``, ``failed`` or ``interrupted``."""
        return str(self.event.get("status", "failed"))

    @property
    def quality(self) -> float | None:
        """Mean loss on the selection rows, None unless it finished."""
        return None if self.losses is None else float(self.losses.mean())

    @property
    def seconds(self) -> float:
        """Training time."""
        return float(self.event.get("cost", {}).get("seconds") or 0.0)


@dataclass(eq=False)
class Scorer:
    """Turns prediction files into losses on the selection rows.

    Classifiers are tempered first (on calibration rows, or on the out-of-fold predictions), as the winner will be.
    """

    prepared: Prepared
    work: Path

    @property
    def rows(self) -> NDArray[np.int64]:
        """Selection rows; with folds, all development rows that a fold held out."""
        roles = self.prepared.roles
        if not roles.folds:
            return roles.selection
        return np.sort(np.concatenate([held for _, held in roles.folds]))

    def mark(self, trial: str, file: str) -> NDArray[np.float64]:
        """Return per-row losses of a half-trained trial; NaN where it has not predicted yet."""
        answer = np.load(self.work / "trials" / trial / file, allow_pickle=False)
        answer = answer[self.rows] if self.prepared.roles.folds else answer
        known = np.isfinite(answer.reshape(len(answer), -1)).all(axis=1)
        found = np.full(len(answer), np.nan)
        found[known] = self.losses(answer[known], self.rows[known])
        return found

    def score(self, result: Result) -> None:
        """Fill in prediction, losses and measurements of a finished trial."""
        folder = self.work / "trials" / result.spec.id
        answer = np.load(folder / result.event["files"]["selection"], allow_pickle=False)
        answer = answer[self.rows] if self.prepared.roles.folds else answer
        temperature = self._temperature(answer, folder, result.event["files"]["calibration"])
        self.fill(result, answer if temperature is None else temperature.apply(answer))

    def fill(self, result: Result, answer: NDArray[Any]) -> None:
        """Fill in what follows from predictions on the selection rows."""
        result.prediction = answer
        result.losses = self.losses(answer, self.rows)
        outcome = self._outcome(answer, self.rows)
        result.measurements = {m.name: m.to_dict() for m in measure(outcome)}

    def losses(self, answer: NDArray[Any], rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return per-row losses of the study's metric, times weight over mean weight where rows have weights."""
        found = losses(self._outcome(answer, rows), self.prepared.metric)
        weight = self.prepared.table.weight
        return found if weight is None else found * weight[rows] / weight[rows].mean()

    def _temperature(self, answer: NDArray[Any], folder: Path, calibration: str) -> Any:
        table, roles = self.prepared.table, self.prepared.roles
        if table.schema.target.task == "regression":
            return None
        if not calibration or not len(roles.calibration):
            return fit_temperature(answer, table.target[self.rows])
        held = np.load(folder / calibration, allow_pickle=False)
        return fit_temperature(held, table.target[roles.calibration])

    def _outcome(self, answer: NDArray[Any], rows: NDArray[np.int64]) -> Outcome:
        table = self.prepared.table
        return Outcome(np.asarray(answer, dtype=np.float64), np.asarray(table.target[rows]), table.schema.target.task)


def candidate(result: Result, *, max_latency_ms: float | None, max_bytes: float | None) -> Candidate:
    """Return a finished trial as the choice sees it."""
    cost = result.event.get("cost", {})
    latency = float(cost.get("latency_1_ms") or math.inf)
    size = float(cost.get("bytes") or math.inf)
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
