"""What a running study did so far, in words: folded from its ledger, as everything about a study is."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from temperance.report.words import Words

WORDS = Words(room="temperance.app")
SHOWN = 40  # steps that are listed
LETTERS = 160
LARGEST = 1 << 25  # bytes of a ledger that are read
Row = dict[str, Any]


@dataclass
class Story:
    """A study as its page tells it.

    Attributes:
        began: ``time.time()`` at which the session began; 0 before that.
        before: seconds that earlier sessions spent.
        seconds: budget, None where none of time was set.
        latest: second of the latest step.
        steps: sentences with their second, the latest last.
        tried: models that were finished.
        failed: trainings that failed.
        running: names of what is being trained, by id.
        best: name of the best so far; empty before there is one.
        loss: its mean loss on rows that it did not learn from.
        simple: the same of always giving one answer; None before it is known.
        stopping: the user asked it to end.

    """

    began: float = 0.0
    before: float = 0.0
    seconds: float | None = None
    latest: float = 0.0
    steps: list[tuple[float, str]] = field(default_factory=list)
    tried: int = 0
    failed: int = 0
    running: dict[str, str] = field(default_factory=dict)
    best: str = ""
    loss: float = math.inf
    simple: float | None = None
    stopping: bool = False

    def elapsed(self, now: float) -> float:
        """Return the seconds since the session began."""
        return max(0.0, now - self.began) if self.began else 0.0

    def left(self, now: float) -> float | None:
        """Return the seconds of the budget that are left; None where no time was set."""
        if self.seconds is None or not self.began:
            return None
        return max(0.0, self.seconds - self.before - self.elapsed(now))

    def share(self, now: float) -> float | None:
        """Return the share of the time that is spent, in [0, 1]; None where no time was set."""
        left = self.left(now)
        return None if left is None or not self.seconds else min(1.0, 1.0 - left / self.seconds)

    @property
    def gain(self) -> int | None:
        """By how many parts of 100 the best is less wrong than one answer for all; None where that cannot be said."""
        if not self.simple or not math.isfinite(self.loss) or self.simple <= 0:
            return None
        return round(100 * (1 - self.loss / self.simple))


def story(ledger: Path) -> Story:
    """Fold a ledger; damaged lines and those of newer versions are passed over."""
    told = Story()
    for row in _rows(ledger):
        _take(told, row)
    return told


def _take(told: Story, row: Row) -> None:
    event = str(row.get("event", ""))
    at = _number(row.get("at")) or 0.0
    if event == "study":
        _begin(told, row)
    told.latest = at
    spec = _inner(row, "spec")
    key, name = str(spec.get("id") or row.get("id") or row.get("trial") or ""), _short(str(spec.get("name") or ""))
    if event == "start":
        told.running[key] = name
    elif event in ("trial", "ensemble"):
        _tried(told, row, key, name, at)
        return
    elif event == "stopped":
        told.stopping = True
    values: Row = {"name": name, "why": _short(str(row.get("why") or "")), "what": _short(str(row.get("what") or ""))}
    if event == "audit":
        states = [one.get("state") for one in row.get("findings") or [] if isinstance(one, dict)]
        values["count"] = sum(state in ("fix_before_use", "look_at_this") for state in states)
    if event == "choice":
        values["name"] = told.best or _short(str(row.get("winner") or ""))
    if WORDS.knows(f"step.{event}"):
        told.steps.append((at, WORDS.say(f"step.{event}", **values)))


def _begin(told: Story, row: Row) -> None:
    budget = _inner(_inner(row, "settings"), "budget")
    told.before += told.latest
    told.began, told.seconds = _number(row.get("moment")) or 0.0, _number(budget.get("seconds"))
    told.running, told.stopping = {}, False


def _tried(told: Story, row: Row, key: str, name: str, at: float) -> None:
    told.running.pop(key, None)
    result = _inner(row, "result")
    status, quality = str(result.get("status", "done")), _number(row.get("quality"))
    if quality is None:
        told.failed += status == "failed"
        if status == "failed":
            why = _short(str(result.get("why") or ""))
            told.steps.append((at, WORDS.say("step.broke", name=name, why=why)))
        return
    told.tried += 1
    if _inner(row, "spec").get("model") == "Majority":
        told.simple = quality
    better = quality < told.loss
    if better:
        told.best, told.loss = name, quality
    told.steps.append((at, WORDS.say("step.better" if better else "step.tried", name=name)))


def _rows(ledger: Path) -> Iterator[Row]:
    try:
        with ledger.open("rb") as file:
            lines = file.read(LARGEST).split(b"\n")[:-1]
    except OSError:
        return
    for line in lines:
        try:
            row = json.loads(line)
        except ValueError:
            continue
        if isinstance(row, dict):
            yield row


def _inner(row: Row, key: str) -> Row:
    found = row.get(key)
    return found if isinstance(found, dict) else {}


def _number(value: Any) -> float | None:
    plain = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if plain and math.isfinite(value) else None


def _short(text: str) -> str:
    return text if len(text) <= LETTERS else text[: LETTERS - 1] + "…"
