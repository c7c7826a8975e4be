"""What is kept back for the end follows from what was measured."""

from types import SimpleNamespace

import numpy as np
import pytest

from temperance.study.events import Finished, Paced
from temperance.study.reserves import (
    FIRST,
    FIXED,
    MOST_PRESSURE,
    NET,
    closing_seconds,
    is_dear,
    pressure,
    refit_seconds,
    reserves,
    ships_as_it_is,
    together,
)
from temperance.study.spec import TrialSpec
from temperance.study.state import Result, State

SPLIT = SimpleNamespace(folds=(), test=np.arange(100), refit=np.arange(400), train=np.arange(300))
FOLDS = tuple((np.delete(np.arange(90), held), held) for held in np.split(np.arange(90), 3))
FOLDED = SimpleNamespace(folds=FOLDS, test=np.arange(10), refit=np.arange(90), train=np.arange(90))


def result(name, loss, seconds, kind="cocktail", model="Tabular", **event):
    spec = TrialSpec(name, name, kind, model)
    cost = {"seconds": seconds, "latency_256_ms": 2.0}
    return Result(spec, {"status": "done", "cost": cost, **event}, losses=np.full(2, loss))


def test_nothing_is_known_at_first():
    assert reserves(State(), SPLIT) == {**FIRST, "closing": 0.0}


def test_a_net_that_ships_as_it_is_needs_no_refit():
    kept, again = result("a", 0.1, 30.0, shipped=True), result("b", 0.1, 30.0)
    assert ships_as_it_is(kept)
    assert ships_as_it_is(result("c", 0.1, 30.0, weights="weights.safetensors"))
    assert reserves(State(results=[kept]), SPLIT)["refit"] == 0.0
    assert reserves(State(results=[again]), SPLIT)["refit"] == pytest.approx(refit_seconds(again, SPLIT))


def test_the_members_of_a_mixture_and_the_basic_models_count():
    basic = result("l", 0.3, 1.0, kind="basic", model="Boosting")
    best, other = result("a", 0.1, 10.0), result("b", 0.2, 20.0)
    kept = reserves(State(results=[other, best, basic]), SPLIT, workers=2)
    assert kept["refit"] == pytest.approx(together([refit_seconds(r, SPLIT) for r in (best, other, basic)], 2))
    many = [result(str(i), 0.01 * i, 1.0, shipped=True) for i in range(9)]
    assert reserves(State(results=many), SPLIT)["evaluation"] == reserves(State(results=many[:4]), SPLIT)["evaluation"]
    hurried = reserves(State(results=[other, best, basic]), SPLIT, workers=2, interrupted=True)
    assert sum(hurried.values()) < sum(kept.values())
    unseen = result("l", 0.9, 50.0, kind="basic", model="Linear")  # compared among images alone
    both = [[*many[:4], unseen], many[:4]]
    assert reserves(State(results=both[0]), SPLIT) == reserves(State(results=both[1]), SPLIT)
    assert reserves(State(results=both[0]), SPLIT, images=True)["refit"] > 50


def test_a_basic_model_that_may_ship_is_refitted_only_where_it_is_the_best():
    first, other = (result(n, loss, 9.0, kind="basic", model="Boosting", weights="model.pickle") for n, loss in
                    (("a", 0.1), ("b", 0.2)))  # fmt: skip
    kept = reserves(State(results=[first, other]), SPLIT, workers=2)
    assert kept["refit"] == pytest.approx(refit_seconds(first, SPLIT))
    net = result("n", 0.05, 9.0, shipped=True)
    assert reserves(State(results=[first, other, net]), SPLIT)["refit"] == 0.0


def test_a_refit_is_one_training_of_a_trial():
    own = result("u", 0.1, 30.0, model="user")
    assert refit_seconds(own, FOLDED) == pytest.approx(FIXED + 1.1 * 1.3 * 30 / 3)
    assert refit_seconds(result("t", 0.1, 30.0, shipped=True), FOLDED) == 0.0
    chosen = result("b", 0.1, 30.0, kind="basic", model="Boosting", tried=3)  # of three ways, one is fitted again
    assert refit_seconds(chosen, FOLDED) == pytest.approx(FIXED + 1.1 * 1.3 * 30 / 9)


def test_a_measured_export_replaces_the_guess():
    state = State(results=[result("a", 0.1, 1.0)], tests={"winner": Finished(name="winner", export_seconds=4.0)})
    assert reserves(state, SPLIT)["export"] == pytest.approx(4.4)


def test_what_is_only_guessed_is_stretched_by_how_busy_the_machine_is():
    def job(wall, cpu, **event):
        return result("a", 0.1, 1.0, shipped=True, wall_seconds=wall, cpu_seconds=cpu, **event)

    assert pressure(State()) == 1.0
    assert pressure(State(results=[job(0.1, 0.01)])) == 1.0  # too short to tell
    assert pressure(State(results=[job(1.0, 1.2)])) == 1.0
    assert pressure(State(results=[job(9.0, 1.0), job(4.0, 2.0), job(3.0, 1.0), job(8.0, 2.0)])) == 3.0  # the latest
    assert pressure(State(results=[job(100.0, 1.0)])) == MOST_PRESSURE
    busy = reserves(State(results=[job(4.0, 2.0)]), SPLIT)
    assert busy["report"] == 2 * FIRST["report"]


def test_a_net_gets_the_time_to_close_that_nets_needed():
    pace = Paced(speed={})
    assert reserves(State(), SPLIT)["closing"] == 0.0  # basic models train first, and need none
    assert reserves(State(pace=pace), SPLIT)["closing"] == FIRST["closing"]
    assert reserves(State(pace=pace), SPLIT)["export"] == NET["export"]
    known = result("a", 0.1, 1.0, shipped=True, closing_seconds=3.0)
    assert closing_seconds(State(results=[known])) == pytest.approx(3.3)
    assert reserves(State(pace=pace, results=[known]), SPLIT)["closing"] == pytest.approx(3.3)


def test_the_test_and_the_export_of_the_winner_go_side_by_side():
    state = State(results=[result("a", 0.1, 1.0, shipped=True)], tests={"winner": Finished(export_seconds=10.0)})
    alone, both = reserves(state, SPLIT), reserves(state, SPLIT, workers=2)
    assert both["evaluation"] == 0.0  # the export takes longer
    assert alone["evaluation"] > 0.0


def test_nothing_is_kept_back_for_a_dear_refit_that_is_not_the_best():
    best, dear = result("a", 0.1, 1.0, shipped=True), result("b", 0.2, 30.0, kind="basic", model="ExtraTrees")
    assert is_dear(dear, SPLIT, 60.0)
    assert not is_dear(dear, SPLIT, 600.0)
    assert not is_dear(dear, SPLIT, None)
    assert reserves(State(results=[best, dear]), SPLIT, budget=60.0)["refit"] == 0.0
    assert reserves(State(results=[best, dear]), SPLIT, budget=600.0)["refit"] > 30.0
    assert reserves(State(results=[dear]), SPLIT, budget=60.0)["refit"] > 30.0


def test_side_by_side():
    assert together([], 2) == 0.0
    assert together([4.0, 1.0, 1.0], 2) == 4.0
    assert together([1.0, 1.0, 1.0, 1.0], 2) == 2.0
