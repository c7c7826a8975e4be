"""The budget of a study: wall clock of the whole command, or a count of trials."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field

import psutil

from temperance.records.errors import BudgetError

LEAST_SECONDS = 20.0
_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "min": 60.0, "sec": 1.0}


@dataclass(frozen=True)
class Budget:
    """What may be spent: ``seconds`` of wall clock, or ``trials``; exactly one of them is set."""

    seconds: float | None = None
    trials: int | None = None

    @property
    def kind(self) -> str:
        """``clock`` or ``trials``."""
        return "clock" if self.seconds is not None else "trials"


def parse_budget(text: str) -> Budget:
    """Read ``10m``, ``90s``, ``1h``, ``600`` (seconds) or ``12trials``.

    Raises:
        BudgetError: not of this form, or too small; the message says the least that works.

    """
    clean = text.strip().lower().replace(" ", "")
    if match := re.fullmatch(r"(\d+)trials?", clean):
        if int(match[1]) < 1:
            raise BudgetError(f"a budget of {text!r}", "at least 1trials", "Give more trials")
        return Budget(trials=int(match[1]))
    match = re.fullmatch(r"(\d+(?:\.\d+)?)(s|sec|m|min|h)?", clean)
    if not match:
        raise BudgetError(f"a budget of {text!r}", "a time such as 90s, 10m, 1h, or 12trials", "Write --budget 10m")
    seconds = float(match[1]) * _UNITS[match[2] or "s"]
    if seconds < LEAST_SECONDS:
        raise BudgetError(
            f"a budget of {seconds:g} seconds",
            f"the least that works is {LEAST_SECONDS:g}s: reading, a basic model, a net, its test, export and report",
            f"Use --budget {LEAST_SECONDS:g}s or more",
        )
    return Budget(seconds=seconds)


def process_start() -> float:
    """Return the time (``time.time``) at which this process started."""
    return float(psutil.Process().create_time())


@dataclass
class Clock:
    """Measures what was spent, part by part, and what is left.

    Attributes:
        budget: what may be spent.
        started: ``time.time()`` of the start that the budget counts from.
        spent: seconds by part of the work, as the main process saw them.
        reserved: seconds kept back for what must still be done.

    """

    budget: Budget
    started: float
    spent: dict[str, float] = field(default_factory=dict)
    reserved: dict[str, float] = field(default_factory=dict)
    _part: tuple[str, float] | None = None

    @property
    def elapsed(self) -> float:
        """Seconds since the start."""
        return time.time() - self.started

    @property
    def left(self) -> float:
        """Seconds left of the whole budget; infinite where trials are counted."""
        return float("inf") if self.budget.seconds is None else self.budget.seconds - self.elapsed

    @property
    def for_search(self) -> float:
        """Seconds left once everything reserved is set aside."""
        return self.left - sum(self.reserved.values())

    def begin(self, part: str) -> None:
        """Charge the time from now on to ``part``."""
        now = time.time()
        if self._part is not None:
            name, since = self._part
            self.spent[name] = self.spent.get(name, 0.0) + now - since
        elif not self.spent:
            self.spent["start"] = now - self.started
        self._part = (part, now)

    def end(self) -> None:
        """Stop charging and note the total."""
        self.begin("")
        self._part = None
        self.spent.pop("", None)
        self.spent["total"] = self.elapsed
