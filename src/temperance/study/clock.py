"""The budget of a study: time of the whole command, a count of trials, or one folded run."""

from __future__ import annotations

import math
import re
import time
from dataclasses import dataclass, field

import psutil

from temperance.records.errors import BudgetError

LEAST_SECONDS = 20.0
_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "min": 60.0, "sec": 1.0}


@dataclass(frozen=True)
class Budget:
    """What may be spent; exactly one of them is set.

    Attributes:
        seconds: time of the whole command.
        trials: count of trials.
        runs: count of nets in the order of the portfolio, beside all basic models; ``1`` is one folded run.

    """

    seconds: float | None = None
    trials: int | None = None
    runs: int | None = None

    @property
    def kind(self) -> str:
        """``clock``, ``trials`` or ``runs``."""
        if self.seconds is not None:
            return "clock"
        return "trials" if self.runs is None else "runs"


def parse_budget(text: str) -> Budget:
    """Read ``10m``, ``90s``, ``1h``, ``600`` (seconds), ``12trials`` or ``1run``.

    Raises:
        BudgetError: not of this form, or too small; the message says the least that works.

    """
    clean = text.strip().lower().replace(" ", "")
    if match := re.fullmatch(r"(\d+)trials?", clean):
        if int(match[1]) < 1:
            raise BudgetError(f"a budget of {text!r}", "at least 1trials", "Give more trials")
        return Budget(trials=int(match[1]))
    if clean in ("1run", "1runs"):
        return Budget(runs=1)
    match = re.fullmatch(r"(\d+(?:\.\d+)?)(s|sec|m|min|h)?", clean)
    if not match:
        accepted = "a time such as 90s, 10m, 1h, or 12trials, or 1run"
        raise BudgetError(f"a budget of {text!r}", accepted, "Write --budget 10m")
    seconds = float(match[1]) * _UNITS[match[2] or "s"]
    if seconds < LEAST_SECONDS:
        raise BudgetError(
            f"a budget of {seconds:g} seconds",
            f"the least that works is {LEAST_SECONDS:g}s: reading, a basic model, a net, its test, export and report",
            f"Use --budget {LEAST_SECONDS:g}s or more",
        )
    return Budget(seconds=seconds)


def process_start() -> float:
    """Return the moment (``time.monotonic``) at which this process started.

    Its age is read once, on the wall clock; from then on nobody can move what the budget counts by.
    """
    return time.monotonic() - max(0.0, time.time() - float(psutil.Process().create_time()))


@dataclass
class Clock:
    """Measures what was spent, part by part, and what is left, on a clock that nobody sets.

    Attributes:
        budget: what may be spent, in all sessions together.
        started: ``time.monotonic()`` of the start that this session counts from.
        before: seconds that earlier sessions spent.
        spent: seconds by part of the work, as the main process saw them.
        reserved: seconds kept back for what must still be done.
        end: ``time.monotonic()`` at which this session has to end, where the user asked it to; infinite before.

    """

    budget: Budget
    started: float
    before: float = 0.0
    spent: dict[str, float] = field(default_factory=dict)
    reserved: dict[str, float] = field(default_factory=dict)
    end: float = math.inf
    _part: tuple[str, float] | None = None

    @property
    def session(self) -> float:
        """Seconds since this session started."""
        return time.monotonic() - self.started

    @property
    def elapsed(self) -> float:
        """Seconds of all sessions."""
        return self.before + self.session

    @property
    def left(self) -> float:
        """Seconds left of the whole budget; infinite where trials are counted and nobody asked for the end."""
        whole = math.inf if self.budget.seconds is None else self.budget.seconds - self.elapsed
        return min(whole, self.end - time.monotonic())

    @property
    def for_search(self) -> float:
        """Seconds left until trainings must end, once everything reserved is set aside."""
        return self.left - sum(self.reserved.values())

    @property
    def for_trials(self) -> float:
        """Seconds left until trials must be over: a net needs the difference to close after its training."""
        return self.for_search + self.reserved.get("closing", 0.0)

    def hurry(self, seconds: float) -> None:
        """Have the session end within so many seconds."""
        self.end = min(self.end, time.monotonic() + seconds)

    def begin(self, part: str) -> None:
        """Charge the time from now on to ``part``."""
        now = time.monotonic()
        if self._part is not None:
            name, since = self._part
            self.spent[name] = self.spent.get(name, 0.0) + now - since
        elif not self.spent:
            self.spent["start"] = now - self.started
        self._part = (part, now)

    def close(self) -> None:
        """Stop charging and note the total."""
        self.begin("")
        self._part = None
        self.spent.pop("", None)
        self.spent["total"] = self.session
