"""Replays a stream through a steward and says what its changes were worth, row by row."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from temperance.adaptation.adapters.label_shift import LabelShift
from temperance.adaptation.guard import Guarded
from temperance.adaptation.inputs import InputCheck
from temperance.adaptation.steward import Steward
from temperance.monitoring.monitor import Monitor
from temperance.monitoring.reference import build
from temperance.records.schema import Rows, Schema

SPAN, LIMIT = 2000, 0.5  # rows and points of the bar: a change is harmful if it is worse by more over so many
REGIMES = {"no labels": (0.0, 0), "5 % of labels at once": (0.05, 0), "labels 500 rows late": (1.0, 500)}


@dataclass(frozen=True, eq=False)
class Model:
    """A trained model: members of equal standing, and the reference of rows that it never saw."""

    schema: Schema
    members: Callable[[Rows], np.ndarray]  # (b, k, c) or (b, k)
    shares: np.ndarray
    reference: dict[str, np.ndarray]

    def predict(self, rows: Rows) -> np.ndarray:
        return np.tensordot(self.members(rows), self.shares, axes=(1, 0))

    @classmethod
    def of(cls, schema: Schema, members: Callable[[Rows], np.ndarray], shares: np.ndarray, rows: Rows, y: Any) -> Model:
        answers = np.tensordot(members(rows), shares, axes=(1, 0))
        return cls(schema, members, shares, build(rows, answers, schema, target=y))


@dataclass(frozen=True, eq=False)
class Stream:
    """Rows in order of arrival; ``start`` is the first row of the change, ``kind`` says of what sort it is."""

    name: str
    kind: str
    rows: Rows
    truth: np.ndarray
    start: int = 0
    batch: int = 64
    told: np.ndarray | None = None  # labels as they are sent; None: the truth
    known: dict[int, np.ndarray] = field(default_factory=dict)

    def answers(self, model: Model) -> np.ndarray:
        """Return what the members say of all rows; the model stays as it is, so this is asked once."""
        if id(model) not in self.known:
            self.known[id(model)] = model.members(self.rows)
        return self.known[id(model)]


def play(model: Model, stream: Stream, regime: str, *, seed: int = 0, **options: Any) -> dict[str, Any]:
    """Serve the stream once and score it."""
    share, delay = REGIMES[regime]
    classify = bool(model.schema.target.classes)
    monitor = Monitor(model.reference, model.schema)
    guard = None
    if classify:
        try:
            inputs = InputCheck(monitor)
            guard = Guarded(LabelShift(), model.reference, level="adapt", inputs=inputs)
        except ValueError:  # too few rows of its classes: that way is closed
            guard = None
    steward = Steward(
        model.reference, model.schema, level="adapt", shares=model.shares.tolist(), model=model.predict,
        unlabelled=guard, **options,
    )  # fmt: skip
    n = len(stream.truth)
    labelled = np.random.default_rng(seed).random(n) < share
    told = stream.truth if stream.told is None else stream.told
    whole = stream.answers(model)
    parts, plain, done = [], [], 0
    began = time.process_time()
    for first in range(0, n, stream.batch):
        rows = stream.rows.take(slice(first, first + stream.batch))
        members = whole[first : first + stream.batch]
        answers = np.tensordot(members, model.shares, axes=(1, 0))
        if guard is not None:  # nobody else asks the monitor here
            monitor.observe(rows, answers)
        out, _ = steward.serve(rows, answers, members)  # tickets count up from 0, as rows do
        parts.append(out)
        plain.append(answers)
        known = np.arange(done, max(done, first + len(out) - delay))
        done = max(done, first + len(out) - delay)
        known = known[labelled[known]]
        if len(known):
            steward.feedback(known, told[known])
    seconds = time.process_time() - began
    lost = [losses(np.concatenate(one), stream.truth, model) for one in (plain, parts)]
    events = [*steward.log.events, *([] if guard is None else guard.log.events)]
    return {**score(lost[0], lost[1], stream.start, events), "kind": stream.kind, "stream": stream.name,
            "regime": regime, "rows": n, "ms_per_row": round(1000 * seconds / n, 4),
            "trust": {k: round(v, 3) for k, v in steward.summary()["trust"].items()}}  # fmt: skip


def losses(answers: np.ndarray, truth: np.ndarray, model: Model) -> np.ndarray:
    """Return 0/1 errors, or squared errors over the variance of the target in the reference."""
    if answers.ndim == 2:
        return (answers.argmax(axis=1) != truth).astype(np.float64)
    return (answers - truth) ** 2 / np.var(model.reference["sample_target"])


def score(plain: np.ndarray, served: np.ndarray, start: int, events: list[dict[str, Any]]) -> dict[str, Any]:
    """Return points (of 100 answers, or of R²): what the change of the data cost, and what was won back."""
    gain = 100 * (plain - served)
    before = plain[:start].mean() if start else np.nan
    whole = np.concatenate([[0.0], np.cumsum(gain)])
    span = min(SPAN, len(gain))
    spans = (whole[span:] - whole[:-span]) / span
    changes = _changes(events, len(gain))
    worth = [gain[a:b].sum() / SPAN for a, b in changes]
    kept = [_kept(gain, whole, a, b) for a, b in changes]
    return {
        "observe": round(100 * float(plain[start:].mean()), 3),
        "lost": round(100 * float(plain[start:].mean() - before), 3) if start else None,
        "gain": round(float(gain[start:].mean()), 3),
        "gain_before": round(float(gain[:start].mean()), 3) if start else None,
        "changes": len(changes), "worst_change": round(min(worth, default=0.0), 3),
        "harmful_changes": sum(w < -LIMIT for w in worth), "harmful_kept": sum(kept),
        "worst_2000_rows": round(float(spans.min()), 3), "changed_share": round(float((gain != 0).mean()), 4),
    }  # fmt: skip


def _kept(gain: np.ndarray, whole: np.ndarray, a: int, b: int) -> bool:
    """Return whether a change stayed through 2,000 rows that it made worse, or ends with the stream so far in debt."""
    inside = (whole[a + SPAN : b + 1] - whole[a : b + 1 - SPAN]) / SPAN if b - a >= SPAN else np.zeros(1)
    late = whole[b] - whole[max(a, b - SPAN)] if b == len(gain) else 0.0
    return bool(inside.min() < -LIMIT or late / SPAN < -LIMIT)


def _changes(events: list[dict[str, Any]], rows: int) -> list[tuple[int, int]]:
    """Return (first row, last row) of each time in force, each way by itself."""
    out, begun = [], {}
    for event in events:
        way = "snapshot" if "kind" in event else "shares"
        if event["event"] == "promote" and way not in begun:
            begun[way] = event["row"]
        elif event["event"] == "rollback" and way in begun:
            out.append((begun.pop(way), event["row"]))
    return out + [(first, rows) for first in begun.values()]
