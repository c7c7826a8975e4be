"""The moment at which a training ends: by the clock, or as soon as the desk asks for it."""

from __future__ import annotations

import math
import time
from pathlib import Path
from typing import Any

LOOK_EVERY = 0.1  # seconds between two looks at the file: a look costs about a microsecond, on a network disk more


class Deadline(float):
    """A ``time.monotonic()`` moment that can be brought forward by a file, which also reaches other machines.

    Loops compare the time with it (``time.monotonic() > deadline``, or any other way round); the comparison is where it
    looks. A training loop therefore needs to know nothing but a number.

    Args:
        at: the moment.
        file: once it exists, the moment has come; None: only the clock counts.

    """

    file: Path | None
    _next: float
    asked: bool

    def __new__(cls, at: float = math.inf, file: Path | None = None) -> Deadline:
        made = super().__new__(cls, at)
        made.file, made._next, made.asked = file, 0.0, False
        return made

    def __lt__(self, other: Any) -> bool:
        """Return whether the moment has come; Python asks this for ``now > deadline``."""
        return float.__lt__(self, other) or self._is_asked()

    def __le__(self, other: Any) -> bool:
        """Return whether the moment has come; ``now >= deadline``."""
        return float.__le__(self, other) or self._is_asked()

    def __gt__(self, other: Any) -> bool:
        """Return whether the moment is still to come; ``now < deadline``."""
        return not self <= other

    def __ge__(self, other: Any) -> bool:
        """Return whether the moment is still to come; ``now <= deadline``."""
        return not self < other

    def _is_asked(self) -> bool:
        now = time.monotonic()
        if self.file is not None and not self.asked and now >= self._next:
            self._next = now + LOOK_EVERY
            self.asked = self.file.exists()
        return self.asked


def deadline_of(job: dict[str, Any]) -> Deadline:
    """Return the deadline of a job: ``seconds`` from now, or when its ``stop`` file appears."""
    seconds = job.get("seconds")
    at = math.inf if seconds is None else time.monotonic() + seconds
    return Deadline(at, Path(job["stop"]) if job.get("stop") else None)
