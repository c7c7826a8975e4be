"""How a study's progress is shown: a bar on a terminal, plain lines elsewhere, nothing when quiet."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self, TextIO

from temperance.records.durations import words_for_seconds

Event = dict[str, Any]
PLAIN_EVERY = 10.0  # seconds between plain lines of the same part


def fraction(event: Event) -> float:
    """Return how much is done, in [0, 1]: of the time, or of the planned trials."""
    left = event.get("left_seconds")
    if left is not None and math.isfinite(left):
        elapsed = float(event.get("elapsed") or 0.0)
        return min(1.0, max(0.0, elapsed / max(elapsed + max(float(left), 0.0), 1e-9)))
    planned = event.get("planned")
    return min(1.0, float(event.get("done", 0)) / float(planned)) if planned else 0.0


def words(event: Event) -> str:
    """Return time left, count of trials and the best so far in one line."""
    parts = [f"{event['done']} trials"] if "done" in event else []
    left = event.get("left_seconds")
    if left is not None and math.isfinite(left):
        parts.append(f"{words_for_seconds(left)} left")
    best = event.get("best")
    if best:
        parts.append(f"best so far: {best['name']} ({event.get('metric', '')} {best['quality']:.4g})")
    return ", ".join(parts)


class Silent:
    """Shows nothing."""

    def __call__(self, event: Event) -> None:
        """Take an event."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End."""


class Lines(Silent):
    """Writes a line when the part changes, and now and then."""

    def __init__(self, stream: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self.stream, self.clock = stream, clock
        self._part, self._said = "", -math.inf

    def __call__(self, event: Event) -> None:
        """Write a line if it is due."""
        part, now = str(event.get("part", "")), self.clock()
        if part == self._part and now - self._said < PLAIN_EVERY:
            return
        self._part, self._said = part, now
        message = str(event.get("message") or "")
        print(f"[{part}] " + " | ".join(filter(None, (words(event), message))), file=self.stream, flush=True)


class Bar(Silent):
    """A bar with rich."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn

        self._progress = Progress(
            TextColumn("{task.description}", markup=False), BarColumn(bar_width=24),
            TextColumn("{task.fields[said]}", markup=False),
            console=Console(stderr=True), transient=True,
        )  # fmt: skip
        self._task = self._progress.add_task("read", total=1.0, said="")

    def __call__(self, event: Event) -> None:
        """Move the bar."""
        self._progress.update(
            self._task, completed=fraction(event), description=str(event.get("part", "")), said=words(event)
        )

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Take the bar away."""
        self._progress.stop()


def progress(*, quiet: bool) -> Silent:
    """Return what suits the place: a bar on a terminal, lines elsewhere."""
    if quiet:
        return Silent()
    return Bar() if sys.stderr.isatty() else Lines(sys.stderr)
