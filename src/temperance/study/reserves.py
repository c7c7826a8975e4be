"""What must be kept back for the end of a study, from what its steps were measured to take."""

from __future__ import annotations

import math

from temperance.records.roles import Roles
from temperance.study.plan import covered_once
from temperance.study.state import Result, State, ranked

VARIANTS = 40  # damaged copies of the test rows that an evaluation predicts, at most 25,000 rows in all
GROWTH = 1.3  # a refit has about 1.3 times the rows of a trial
BUSIER = 1.1  # the machine may be busier by then
FIRST = {"refit": 0.3, "evaluation": 1.0, "export": 1.0, "report": 1.0}
"""Seconds before anything was measured: what a basic model takes; writing cards and report."""


def reserves(state: State, roles: Roles, *, workers: int = 1, interrupted: bool = False) -> dict[str, float]:
    """Return seconds by part: what the winner as it stands now will take, and the basic models beside it."""
    kept = dict(FIRST)
    best = ranked(r for r in state.done if r.spec.kind != "ensemble")[:1]
    if not best:
        return kept
    ending = best if interrupted else list({r.spec.id: r for r in (*best, *_basic(state))}.values())
    trained = [r for r in ending if not ships_as_it_is(r) and r.spec.id not in state.refits]
    kept["refit"] = together([refit_seconds(r, roles) for r in trained], workers)
    kept["evaluation"] = together([_evaluation(r, len(roles.test), quick=interrupted) for r in ending], workers)
    known = [t.export_seconds for t in state.tests.values() if t.export_seconds is not None]
    if known:
        kept["export"] = BUSIER * max(known)
    return kept


def _basic(state: State) -> list[Result]:
    return [r for r in state.done if r.spec.kind == "basic"]


def _evaluation(result: Result, tested: int, *, quick: bool) -> float:
    row = result.event.get("cost", {}).get("latency_256_ms")
    variants = 0 if quick else min(25_000, VARIANTS * tested)
    return 0.2 + 1.5 * (1.0 if row is None else float(row)) / 256 / 1000 * (tested + variants)


def ships_as_it_is(result: Result) -> bool:
    """Return whether a trial's own weights may ship, so that it need not be trained again."""
    return bool(result.event.get("shipped") or result.event.get("weights"))


def refit_seconds(result: Result, roles: Roles) -> float:
    """Return the expected time of a trial's refit, from the seconds of its own trainings.

    All folds in one training have all rows already; folds in turn add up.
    """
    if result.event.get("shipped"):
        return 0.0
    if not roles.folds:
        once = GROWTH
    elif result.spec.model == "Tabular" and covered_once(roles):
        once = 1.0
    else:
        once = GROWTH / len(roles.folds)
    return BUSIER * once * result.seconds + 0.3


def together(seconds: list[float], workers: int) -> float:
    """Return how long jobs take side by side: the longest, or their sum over the workers."""
    return max([0.0, *seconds, math.fsum(seconds) / max(1, workers)])
