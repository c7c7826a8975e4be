"""What must be kept back for the end of a study, from what its steps were measured to take."""

from __future__ import annotations

import math

from temperance.records.roles import Roles
from temperance.study.basics import compared
from temperance.study.state import Result, State, ranked

VARIANTS = 40  # damaged copies of the test rows that an evaluation predicts, at most 25,000 rows in all
GROWTH = 1.3  # a refit has about 1.3 times the rows of a trial
BUSIER = 1.1  # the machine may be busier by then
NET = {"evaluation": 0.8, "export": 0.5}
"""The same for a net, from when its pace was measured."""
FIRST = {"closing": 1.0, "refit": 0.2, "evaluation": 0.4, "export": 0.3, "report": 0.5, "mixture": 0.3}
"""Seconds on a free machine before anything was measured: what a net needs after its training was ended (weighing,
its graph, its toughness); a basic model's refit; test; export; cards and report; weighing trials."""
FIXED = 0.1  # seconds of a refit beside its training
LEAST_TEST = 0.8  # seconds of a test on a free machine beside the predictions: damage, and what the answer depends on
DEAR = 0.1  # of the budget
TESTED = 0.06  # of the budget at most for tests
MEMBERS = 4  # models of a mixture, each of which is tested with it
RECENT = 3  # jobs that tell how busy the machine is
TELLING = 0.3  # seconds of a job from which on its pace tells anything
MOST_PRESSURE = 8.0


def reserves(
    state: State, roles: Roles, *, workers: int = 1, interrupted: bool = False, budget: float | None = None,
    images: bool = False,
) -> dict[str, float]:  # fmt: skip
    """Return seconds by part: what the winner as it stands now will take, and the basic models beside it.

    What is only guessed is stretched by how busy the machine is. The winner's test and its export go side by side. For
    a refit that takes much of the ``budget`` (seconds), or that a model can do without, nothing is kept back unless it
    is the best basic model's.
    """
    pressed = pressure(state)
    nets = state.pace is not None
    kept = {part: pressed * seconds for part, seconds in {**FIRST, **(NET if nets else {})}.items()}
    kept["closing"] = (closing_seconds(state) or kept["closing"]) if nets else 0.0
    best = ranked(r for r in state.done if r.spec.kind != "ensemble")[: 1 if interrupted else MEMBERS]
    if not best:
        return kept
    known = [t.export_seconds for t in state.tests.values() if t.export_seconds is not None]
    if known:
        kept["export"] = BUSIER * max(known)
    ending = best if interrupted else list({r.spec.id: r for r in (*best, *_basic(state, images=images))}.values())
    trained = [r for r in ending if r.spec.id not in state.refits and not r.event.get("shipped")]
    trained = [r for r in trained if r is best[0] or not (ships_as_it_is(r) or is_dear(r, roles, budget))]
    kept["refit"] = together([refit_seconds(r, roles) for r in trained], workers)
    least = pressed * LEAST_TEST
    tests = [least + _evaluation(r, len(roles.test), quick=interrupted) for r in ending]
    tests += [kept["evaluation"]] if nets and not any(r.spec.is_net for r in best) else []
    kept["evaluation"] = max(0.0, together([*tests, kept["export"]], workers) - kept["export"])
    if budget is not None:  # a test does what fits its time, and the search needs it more
        kept["evaluation"] = min(kept["evaluation"], TESTED * budget)
    return kept


def pressure(state: State) -> float:
    """Return how many seconds a second of work takes here at present, 1 on a free machine.

    From the latest jobs, as their workers measured them.
    """
    told = [(r.event.get("wall_seconds", 0.0), r.event.get("cpu_seconds", 0.0)) for r in state.trials]
    ratios = sorted([wall / cpu for wall, cpu in told if wall >= TELLING and cpu > 0][-RECENT:])
    return min(MOST_PRESSURE, max(1.0, ratios[len(ratios) // 2])) if ratios else 1.0


def closing_seconds(state: State) -> float:
    """Return the seconds that the latest nets needed at most after their training, 0 where none is known."""
    known = [float(r.event["closing_seconds"]) for r in state.done if "closing_seconds" in r.event]
    return BUSIER * max(known[-RECENT:], default=0.0)


def _basic(state: State, *, images: bool) -> list[Result]:
    """Return the basic models that the winner is compared with."""
    others = compared(state, images=images).values()
    return [r for r in state.done if r.spec.kind == "basic" and r.spec.id in others]


def _evaluation(result: Result, tested: int, *, quick: bool) -> float:
    row = result.event.get("cost", {}).get("latency_256_ms")
    variants = 0 if quick else min(25_000, VARIANTS * tested)
    return 1.5 * (1.0 if row is None else float(row)) / 256 / 1000 * (tested + variants)


def ships_as_it_is(result: Result) -> bool:
    """Return whether what a trial trained may ship, so that it need not be trained again, though it could gain."""
    return bool(result.event.get("shipped") or result.event.get("weights"))


def refit_seconds(result: Result, roles: Roles) -> float:
    """Return the expected time of a trial's refit, from the seconds of its own trainings.

    Folds in turn add up, and so do the ways of fitting that a basic model was chosen from (``tried``).
    """
    if result.event.get("shipped"):
        return 0.0
    once = GROWTH / (max(1, len(roles.folds)) * int(result.event.get("tried") or 1))
    return BUSIER * once * result.seconds + FIXED


def is_dear(result: Result, roles: Roles, budget: float | None) -> bool:
    """Return whether a refit takes so much of the budget (seconds) that it is done only where time is left over."""
    return budget is not None and refit_seconds(result, roles) > DEAR * budget


def together(seconds: list[float], workers: int) -> float:
    """Return how long jobs take side by side: the longest, or their sum over the workers."""
    return max([0.0, *seconds, math.fsum(seconds) / max(1, workers)])
