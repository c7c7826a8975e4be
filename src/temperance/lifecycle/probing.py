"""Try the champion's recipe weaker and stronger on the new rows, where there is time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from temperance.evaluation.base import Outcome
from temperance.evaluation.metrics.registry import losses
from temperance.lifecycle.strength import FACTORS, Answer, judge, scaled, strengths
from temperance.study import jobs
from temperance.study.runner import Runner
from temperance.study.spec import TrialSpec

ROOM = 1.3  # a trial may take so much longer than the one before


def probe(
    runner: Runner, spec: TrialSpec, *, metric: str, seconds: float, left: Callable[[], float],
    say: Callable[[str], None],
) -> tuple[TrialSpec, dict[str, Any] | None, Answer]:  # fmt: skip
    """Train ``spec`` weaker and stronger beside its trial that is done, and choose.

    Args:
        runner: the new data; the trial of ``spec`` lies in its folder.
        spec: the net whose strengths are in question.
        metric: whose losses on held-out rows decide.
        seconds: that the trial of ``spec`` took.
        left: seconds that may be spent, the refits taken off.
        say: told in words what happens.

    Returns:
        The trial that won, its event (None: ``spec`` itself), and the answer.

    """
    tried: dict[str, TrialSpec] = {}
    events: dict[str, dict[str, Any]] = {}
    found = {"as it was": held_losses(runner, spec, metric)}
    for name, factor in FACTORS.items():
        other = scaled(spec, factor).changed(id=f"{spec.id}-{name}", name=f"{spec.name}, {name}")
        if not strengths(spec) or strengths(other) == strengths(spec) or left() < ROOM * seconds:
            continue
        say(f"Training {other.name}")
        began = time.monotonic()
        event = jobs.trial(runner, {"spec": other.to_dict(), "seconds": _limit(left()), "robustness": False}, _go_on)
        seconds = max(seconds, time.monotonic() - began)
        if event["status"] == "done":
            tried[name], events[name] = other, event
            found[name] = held_losses(runner, other, metric)
    chosen, answer = judge(spec, tried, found, metric=metric)
    return tried.get(chosen, spec), events.get(chosen), answer


def held_losses(runner: Runner, spec: TrialSpec, metric: str) -> NDArray[np.float64]:
    """Return the losses (b,) of a finished trial on the rows that it did not learn from, not calibrated."""
    rows = runner.roles.judged
    answer = np.load(runner.folder / "trials" / spec.id / "selection.npy", allow_pickle=False)
    answer = answer[rows] if runner.roles.folds else answer
    target = runner.schema.target
    truth = np.asarray(runner.table.target[rows])
    outcome = Outcome(np.asarray(answer, dtype=np.float64), truth, target.task, **target.reading)
    found: NDArray[np.float64] = losses(outcome, metric)
    weight = runner.table.weight
    return found if weight is None else found * weight[rows] / weight[rows].mean()


def _limit(seconds: float) -> float | None:
    return None if np.isinf(seconds) else max(0.5, seconds)


def _go_on(event: dict[str, Any]) -> dict[str, Any]:
    return {"continue": True}
