"""Reads the signals of a session, samples the costly ones, and charges the seconds that each took."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Any

import torch
from torch import Tensor

from temperance.core.batch import Batch, Mixed, Pass
from temperance.core.signal import ObservedPass, Probe, Signal, providers
from temperance.core.state import copied
from temperance.records.names import snake


class Meter:
    """The signals of one session.

    Args:
        names: numbers that controllers and techniques read.
        own: signals that the user asked for, with their settings.

    Attributes:
        stale: names that were not measured at the last reading, because they were not due or rows were missing.

    """

    def __init__(self, names: frozenset[str], own: Iterable[Signal] = ()) -> None:
        asked = tuple(own)
        self.signals = {snake(type(one).__name__): one for one in providers(names, asked)}
        self.memory: dict[str, dict[str, Any]] = {name: {} for name in self.signals}
        self.seconds: dict[str, float] = dict.fromkeys(self.signals, 0.0)
        self.occasions: dict[str, int] = dict.fromkeys(self.signals, 0)
        self.has_own = bool(asked)
        self.stale: frozenset[str] = frozenset()
        self._watching = [n for n, one in self.signals.items() if type(one).watch is not Signal.watch]
        self._noting = [n for n, one in self.signals.items() if type(one).note is not Signal.note]
        self._preparing = [n for n, one in self.signals.items() if type(one).prepare is not Signal.prepare]

    @property
    def needs_batches(self) -> bool:
        """Whether any signal is read at validation, so that training batches must be kept."""
        return any(one.when == "validate" for one in self.signals.values())

    @property
    def needs_valid(self) -> bool:
        """Whether any signal looks at the held-out batches themselves."""
        return any(one.when == "validate" and one.needs_valid for one in self.signals.values())

    def measure(self, probe: Probe) -> dict[str, float]:
        """Read what is due and return all numbers."""
        numbers: dict[str, float] = {}
        passed_over: list[Signal] = []
        for name, one in self.signals.items():
            given = probe.valid or (probe.reading and not one.needs_valid)
            if not (given or one.when == "step"):
                passed_over.append(one)
                continue
            self.occasions[name] += 1
            if (self.occasions[name] - 1) % getattr(one, "every", 1) == 0:
                with self._charged(name):
                    numbers |= one.measure(replace(probe, known=dict(numbers), memory=self.memory[name]))
            else:
                passed_over.append(one)
        self.stale = frozenset(known for one in passed_over for known in one.gives)
        return numbers

    def begin(self, probe: Callable[[], Probe]) -> None:
        """Let signals look at the weights that the training begins with."""
        for name, one in self.signals.items():
            if type(one).begin is not Signal.begin:
                with self._charged(name):
                    one.begin(replace(probe(), memory=self.memory[name]))

    def prepare(self, probe: Callable[[], Probe]) -> None:
        """Let signals look at the weights one step before a reading that is due."""
        for name in self._preparing:
            if self.occasions[name] % getattr(self.signals[name], "every", 1) == 0:
                with self._charged(name):
                    self.signals[name].prepare(replace(probe(), memory=self.memory[name]))

    def watch(self, passed: Pass, loss: Callable[[Any, Any], Tensor]) -> None:
        """Show a training pass to the signals that watch; mixed rows and passes of unknown shape are left out."""
        for name in self._noting:
            if passed.notes:
                self.signals[name].note(passed.notes, self.memory[name])
        if not self._watching:
            return
        many = isinstance(passed.batch, list)
        one = (passed.batch, passed.outputs, passed.raw)
        passes = zip(*one, strict=True) if many else [one]
        for batch, outputs, raw in passes:
            if not isinstance(batch, Batch) or batch.index is None or isinstance(batch.targets, Mixed):
                continue
            if not isinstance(outputs, Tensor) or outputs.shape[:1] != batch.index.shape:
                continue
            own = loss if isinstance(raw, tuple) and not raw else partial(_of_raw, loss, raw)
            for name in self._watching:
                with self._charged(name), torch.no_grad():
                    self.signals[name].watch(ObservedPass(batch, outputs.detach(), own), self.memory[name])

    @contextmanager
    def _charged(self, name: str) -> Iterator[None]:
        started = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] += time.perf_counter() - started

    def state_dict(self) -> dict[str, Any]:
        """Return memories, counts of occasions and seconds as plain values and copies of tensors."""
        return {
            "memory": copied(self.memory),
            "occasions": dict(self.occasions),
            "seconds": dict(self.seconds),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue from ``state_dict``; signals that it does not know start anew."""
        for name in self.signals:
            self.memory[name] = copied(state.get("memory", {}).get(name, {}))
            self.occasions[name] = state.get("occasions", {}).get(name, 0)
            self.seconds[name] = state.get("seconds", {}).get(name, 0.0)


def _of_raw(loss: Callable[[Any, Any], Tensor], raw: Any, _: Any, targets: Any) -> Tensor:
    """Take the loss of the model's whole answer, whichever part of it a signal holds."""
    return loss(raw, targets)
