"""The monitor of a served model: cheap on the request path, one false-alarm rate over everything it watches.

Use in a server (``deployment.serve``)::

    monitor = Monitor(reference.load(folder / "reference.npz"), schema)
    for each request:  changed = monitor.observe(rows, predictions)   # Rows and what the *source* model predicted
    GET /metrics, /health:  monitor.summary()                         # thread-safe snapshot, plain numbers
    before shutdown:  np.savez(path, **monitor.state_dict())          # and load_state_dict after start

Requests go into a ring buffer; every 32 rows it is flushed through ``Panel``, every 8 while evidence builds up. Feed it
the predictions of the source model, before any adaptation: otherwise an adaptation would hide the drift that caused it.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from temperance.monitoring import channels
from temperance.monitoring.base import State
from temperance.monitoring.course import Course
from temperance.monitoring.panel import BLOCK, Panel
from temperance.monitoring.reference import Arrays, check
from temperance.monitoring.shift import size_of, words
from temperance.records.errors import BundleError
from temperance.records.schema import Rows, Schema
from temperance.records.verdict import Verdict

Level = Literal["calm", "watch", "alarm"]
WATCH = 10.0  # "watch" from a tenth of the threshold
PACE, HURRIED = 32, 8  # rows between looks; while evidence is above the fourth root of the threshold


class Monitor:
    """Drift of every feature, missing rates, unseen categories and predictions on served traffic.

    Args:
        reference: arrays of ``reference.build``.
        schema: columns and target; must be those of the reference.
        average_run_length: requests until the first false alarm of any channel, on average, at least.
        tolerance: shift (standard deviations of the normal score) that is not worth an alarm.
        seed: of random tie breaks.

    Raises:
        BundleError: the reference is of other columns.

    """

    def __init__(
        self,
        reference: Arrays,
        schema: Schema,
        *,
        average_run_length: float = 100_000,
        tolerance: float = 0.0,
        seed: int = 0,
    ) -> None:
        self.reference, self.schema = check(reference), schema
        self.names: list[str] = channels.names(schema)
        if self.names != reference["channels"].tolist():
            raise BundleError(
                f"the reference watches {len(reference['channels'])} channels, the schema has {len(self.names)}",
                "the same columns in both",
                "Build the reference with this schema",
            )
        self.panel = Panel(reference["counts"], average_run_length=average_run_length, tolerance=tolerance, seed=seed)
        self.course = Course(reference["counts"])
        self._lock = threading.Lock()
        n, m = len(channels.numeric_names(schema)), len(channels.categorical_names(schema))
        self._images, self._categories = schema.kind == "images", m > 0
        self._numeric = np.empty((BLOCK, n))
        self._categorical = np.empty((BLOCK, m), dtype=np.int32)
        self._predicted = np.empty((BLOCK, *reference["sample"].shape[1:]))
        self._held, self._pace = 0, PACE
        self.rows = 0
        self._states: list[Level] = ["calm"] * len(self.names)

    def observe(self, rows: Rows, predictions: NDArray[Any]) -> list[Verdict]:
        """Take served rows and the source model's predictions; return the verdicts that changed state just now.

        The list is nearly always empty. Cost: a copy into the ring; a flush every 32 rows.

        Shapes: predictions (b, c) or (b,).
        """
        numeric = channels.numbers(rows, self.schema)
        changed: list[Verdict] = []
        with self._lock:
            done, count = 0, len(numeric)
            while done < count:
                held = self._held
                last = held + min(max(self._pace - held, 1), count - done)
                took = slice(done, done + last - held)
                self._numeric[held:last] = numeric[took]
                if self._categories:
                    self._categorical[held:last] = rows.categorical[took]
                self._predicted[held:last] = predictions[took]
                self._held = last
                done = took.stop
                if last >= self._pace:
                    changed += self._flush()
            self.rows += count
        return changed

    def flush(self) -> list[Verdict]:
        """Judge the rows that still wait in the ring; return the verdicts that changed."""
        with self._lock:
            return self._flush()

    def verdicts(self) -> list[Verdict]:
        """Return the verdict of every channel, after a flush."""
        with self._lock:
            self._flush()
            return [self._verdict(i) for i in range(len(self.names))]

    def summary(self) -> dict[str, Any]:
        """Return a snapshot for ``/metrics`` and ``/health``: JSON-safe, thread-safe, without a flush.

        Keys: ``state`` (the worst of all channels), ``rows``, ``pending``, ``alarms`` and ``watching`` (channel names),
        ``average_run_length``, ``threshold``, ``evidence`` (by channel).
        """
        with self._lock:
            evidence, states = self.panel.values(), list(self._states)
            rows, pending = self.rows, self._held
        alarms = [name for name, state in zip(self.names, states, strict=True) if state == "alarm"]
        watching = [name for name, state in zip(self.names, states, strict=True) if state == "watch"]
        return {
            "state": "alarm" if alarms else "watch" if watching else "calm",
            "rows": rows,
            "pending": pending,
            "alarms": alarms,
            "watching": watching,
            "average_run_length": self.panel.average_run_length,
            "threshold": self.panel.threshold,
            "evidence": dict(zip(self.names, evidence.tolist(), strict=True)),
        }

    def reset(self, *, accept: bool = False) -> None:
        """Start anew after an alarm was dealt with.

        Args:
            accept: keep the calm traffic seen so far in the reference; else go back to the reference of the bundle.

        """
        with self._lock:
            self.panel.reset(accept=accept)
            self.course = Course(self.panel.counts)
            self._held, self._pace, self._states = 0, PACE, ["calm"] * len(self.names)

    def state_dict(self) -> State:
        """Return all that changes, as arrays for ``np.savez``."""
        with self._lock:
            ring: dict[str, NDArray[Any]] = {
                "numeric": self._numeric,
                "categorical": self._categorical,
                "predicted": self._predicted,
            }
            return {
                **{f"panel/{k}": v for k, v in self.panel.state_dict().items()},
                **{f"course/{k}": v for k, v in self.course.state_dict().items()},
                **{f"ring/{k}": v[: self._held].copy() for k, v in ring.items()},
                "rows": np.array(self.rows),
            }

    def load_state_dict(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Go on exactly where ``state_dict`` was taken."""
        with self._lock:
            self.panel.load_state_dict({k[6:]: v for k, v in state.items() if k.startswith("panel/")})
            windows = {k[7:]: v for k, v in state.items() if k.startswith("course/")}
            if windows:  # a state of before November 2026 holds none
                self.course.load_state_dict(windows)
            self._held = len(state["ring/predicted"])
            self._numeric[: self._held] = state["ring/numeric"]
            self._categorical[: self._held] = state["ring/categorical"]
            self._predicted[: self._held] = state["ring/predicted"]
            self.rows = int(state["rows"])
            evidence = self.panel.values()
            self._states, self._pace = self._now(evidence), self._look(evidence)

    def points(self, channel: int) -> float | None:
        """Return what the shift of a channel alone would change: right answers in 100, or the mean squared error.

        Σ_b (share now − share before) · mean quality in bin b, from labelled reference rows; a bin without any counts
        as the mean. None where the reference holds no truth.
        """
        sums = self.reference.get("quality_sums")
        if sums is None:
            return None
        before, now = self.reference["counts"][channel].astype(np.float64), self.panel.trace[channel]
        if not (before.sum() and now.sum()):
            return None
        overall = float(sums[channel].sum() / before.sum())
        mean = (sums[channel] + 5 * overall) / (before + 5)
        moved = float((now / now.sum() - before / before.sum()) @ mean)
        return moved if self.schema.target.task == "regression" else 100 * moved

    def _flush(self) -> list[Verdict]:
        held, self._held = self._held, 0
        if not held:
            return []
        number, top = channels.outputs(self._predicted[:held], self.schema)
        codes = channels.encode(
            self.schema, self.reference, self._numeric[:held], self._categorical[:held], number, top
        )
        self.course.observe(codes)
        evidence = self.panel.observe(codes)
        self._pace = self._look(evidence)
        before, self._states = self._states, self._now(evidence)
        if before == self._states:
            return []
        return [self._verdict(i) for i in range(len(before)) if before[i] != self._states[i]]

    def _look(self, evidence: NDArray[np.float64]) -> int:
        """Return the rows until the next look."""
        return HURRIED if float(evidence.max(initial=0.0)) > self.panel.threshold**0.25 else PACE

    def _now(self, evidence: NDArray[np.float64]) -> list[Level]:
        """Return the state of every channel."""
        watch = evidence >= self.panel.threshold / WATCH
        if not watch.any() and not self.panel.alarmed.any():
            return ["calm"] * len(self.names)
        rows = zip(self.panel.alarmed.tolist(), watch.tolist(), strict=True)
        return ["alarm" if alarmed else "watch" if watched else "calm" for alarmed, watched in rows]

    def _verdict(self, i: int) -> Verdict:
        evidence = float(self.panel.values()[i])
        state = self._states[i]
        shift = size_of(self.panel.counts[i], self.panel.trace[i])
        details = {**shift, "alarmed_at": int(self.panel.alarmed_at[i]), "requests": self.rows + self._held}
        way, began = self.course.way(i) if state != "calm" else ("none", -1)
        details |= {"way": way, "began": began, "points": self.points(i)}
        sentence = words(self.names[i], state, shift)
        if state == "alarm" and (came := self.course.sentence(i)):
            sentence = f"{sentence} {came}"
        return Verdict(self.names[i], state, evidence, self.panel.threshold, int(self.panel.n[i]), sentence, details)
