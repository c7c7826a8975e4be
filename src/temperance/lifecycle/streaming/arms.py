"""Ways to keep a model on a stream: leave it, retrain on a schedule, retrain on an alarm, adapt it, or only repeat."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from temperance.adaptation.adapters.label_shift import LabelShift
from temperance.adaptation.guard import Guarded
from temperance.adaptation.inputs import InputCheck
from temperance.adaptation.steward import Steward
from temperance.lifecycle.streaming.learner import Learned
from temperance.monitoring.degradation import LossMonitor, ceiling_of
from temperance.monitoring.monitor import Monitor
from temperance.records.errors import DataError
from temperance.records.schema import Rows

Index = NDArray[np.int64]
Train = Callable[[Index], Learned]
"""Trains on labelled rows of the stream, by their numbers."""


@dataclass(eq=False)
class Arm(ABC):
    """One way; answers rows in order and is told their truth later.

    Attributes:
        name: short name.
        words: what it does.
        seconds: spent on training after the start.
        retrainings: count of them.
        events: what happened, with the row at which it did.

    """

    name: ClassVar[str]
    words: ClassVar[str]
    seconds: float = 0.0
    retrainings: int = 0
    answering: float = 0.0
    events: list[dict[str, Any]] = field(default_factory=list)

    def answer(self, rows: Rows, index: Index) -> NDArray[Any]:
        """Return the answers (b, …) of rows with these numbers, timed."""
        began = time.perf_counter()
        found = self._answer(rows, index)
        self.answering += time.perf_counter() - began
        return found

    @abstractmethod
    def _answer(self, rows: Rows, index: Index) -> NDArray[Any]: ...

    @abstractmethod
    def tell(self, index: Index, truth: NDArray[Any]) -> None:
        """Take the truth (n,) of answered rows, in order."""

    def _retrain(self, train: Train, index: Index, why: str) -> Learned:
        found = train(index)
        self.seconds += found.seconds
        self.retrainings += 1
        self.events.append({"row": int(index[-1]), "event": "retrain", "why": why, "rows": len(index)})
        return found


@dataclass(eq=False)
class Static(Arm):
    """The first model, as it is."""

    name: ClassVar[str] = "static"
    words: ClassVar[str] = "the first model, left as it is"
    model: Learned | None = None

    def _answer(self, rows: Rows, index: Index) -> NDArray[Any]:
        assert self.model is not None
        return self.model.predict(rows)

    def tell(self, index: Index, truth: NDArray[Any]) -> None:
        """Forget the truth (b,)."""


@dataclass(eq=False)
class Scheduled(Arm):
    """A new model every so many labelled rows, from the last ones."""

    name: ClassVar[str] = "scheduled"
    words: ClassVar[str] = "trained again on a schedule"
    model: Learned | None = None
    train: Train | None = None
    every: int = 1000
    window: int = 5000
    first: int = 0
    done: int = field(default=-1)

    def _answer(self, rows: Rows, index: Index) -> NDArray[Any]:
        assert self.model is not None
        return self.model.predict(rows)

    def tell(self, index: Index, truth: NDArray[Any]) -> None:
        """Take the truth (b,); train again when it is time."""
        assert self.train is not None
        last = int(index[-1])
        self.done = self.first if self.done < 0 else self.done
        if last + 1 - self.done >= self.every:
            self.done = last + 1
            kept = np.arange(max(0, last + 1 - self.window), last + 1)
            self.model = self._retrain(self.train, kept, f"{self.every:,} labelled rows since the last training")


@dataclass(eq=False)
class Alarmed(Arm):
    """A new model after an alarm of the monitor or of the losses, once enough rows have come since."""

    name: ClassVar[str] = "alarmed"
    words: ClassVar[str] = "trained again after an alarm"
    model: Learned | None = None
    train: Train | None = None
    wait: int = 300
    window: int = 5000
    alarm: int = field(default=-1)
    monitor: Monitor | None = None
    loss: LossMonitor | None = None
    unit: float = 1.0
    kept: dict[int, NDArray[Any]] = field(default_factory=dict)

    def _answer(self, rows: Rows, index: Index) -> NDArray[Any]:
        assert self.model is not None
        if self.monitor is None:
            self._watch()
        assert self.monitor is not None
        answers = self.model.predict(rows)
        changed = self.monitor.observe(rows, answers)
        self.kept.update(zip(index.tolist(), answers, strict=True))
        loud = [v for v in changed if v.state == "alarm"]
        if loud and self.alarm < 0:
            self._alarm(int(index[-1]), loud[0].sentence)
        return answers

    def tell(self, index: Index, truth: NDArray[Any]) -> None:
        """Judge the losses by the truth (b,), and train again where an alarm is old enough."""
        assert self.train is not None
        assert self.loss is not None
        answers = np.array([self.kept.pop(i) for i in index.tolist()])
        if answers.ndim == 2:
            losses = (answers.argmax(axis=1) != truth).astype(np.float64)
        else:
            losses = np.minimum((answers - truth) ** 2 / self.unit, 1.0)
        verdict = self.loss.observe(losses)
        last = int(index[-1])
        if verdict.state == "alarm" and self.alarm < 0:
            self._alarm(last, verdict.sentence)
        if 0 <= self.alarm <= last - self.wait:
            since = max(self.wait, last - self.alarm)
            kept = np.arange(max(0, last + 1 - max(since, self.window // 2)), last + 1)
            self.model = self._retrain(self.train, kept, "an alarm, and enough rows since")
            self.alarm = -1
            self._watch()

    def _alarm(self, row: int, why: str) -> None:
        self.alarm = row
        self.events.append({"row": row, "event": "alarm", "why": why})

    def _watch(self) -> None:
        assert self.model is not None
        known = dict(self.model.reference)
        self.monitor = Monitor(known, self.model.schema)
        if known["sample"].ndim == 1:  # squared errors, up to nine times their mean at release, as shares of that
            squares = (known["sample"] - known["sample_target"]) ** 2
            self.unit = 9 * float(squares.mean()) or 1.0
            bounded = np.minimum(squares / self.unit, 1.0)
            known["loss"] = np.array([bounded.mean(), bounded.std(), len(bounded)])
        self.loss = LossMonitor(ceiling_of(known))


@dataclass(eq=False)
class Adapted(Arm):
    """The first model, adapted behind the guard."""

    name: ClassVar[str] = "adapted"
    words: ClassVar[str] = "the first model, adapted behind its guard"
    model: Learned | None = None
    steward: Steward | None = None
    monitor: Monitor | None = None
    tickets: dict[int, int] = field(default_factory=dict)

    def _answer(self, rows: Rows, index: Index) -> NDArray[Any]:
        assert self.model is not None
        members, shares = self.model.members(rows)
        if self.steward is None:
            self._start(shares)
        assert self.steward is not None
        assert self.monitor is not None
        answers = np.tensordot(members, shares, axes=(1, 0))
        self.monitor.observe(rows, answers)
        served, tickets = self.steward.serve(rows, answers, members)
        self.tickets.update(zip(index.tolist(), tickets.tolist(), strict=True))
        return served

    def tell(self, index: Index, truth: NDArray[Any]) -> None:
        """Pass the labels (b,) on."""
        assert self.steward is not None
        began = time.perf_counter()
        self.steward.feedback(np.array([self.tickets.pop(i) for i in index.tolist()]), truth)
        self.seconds += time.perf_counter() - began

    def _start(self, shares: NDArray[np.float64]) -> None:
        assert self.model is not None
        known = self.model.reference
        self.monitor = Monitor(known, self.model.schema)
        guard = None
        if known["sample"].ndim == 2:
            try:
                guard = Guarded(LabelShift(), known, level="adapt", inputs=InputCheck(self.monitor))
            except DataError as fault:
                self.events.append({"row": 0, "event": "note", "why": str(fault)})
        self.steward = Steward(
            known, self.model.schema, level="adapt", shares=shares.tolist(), model=self.model.predict, unlabelled=guard
        )


@dataclass(eq=False)
class Persistence(Arm):
    """The last known truth, again."""

    name: ClassVar[str] = "persistence"
    words: ClassVar[str] = "the last known truth, again"
    known: NDArray[Any] = field(default_factory=lambda: np.empty(0))
    classes: int = 0
    delay: int = 0

    def _answer(self, rows: Rows, index: Index) -> NDArray[Any]:
        """Answer each row with the truth of the row ``delay`` + 1 before it."""
        before = self.known[np.maximum(index - self.delay - 1, 0)]
        if not self.classes:
            return np.asarray(before, dtype=np.float64)
        return np.asarray(before[:, None] == np.arange(self.classes), dtype=np.float64)

    def tell(self, index: Index, truth: NDArray[Any]) -> None:
        """Leave the truth (b,): it reads that with a delay of its own."""
