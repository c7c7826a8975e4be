"""What is kept back for the end follows from what was measured."""

from types import SimpleNamespace

import numpy as np
import pytest

from temperance.study.events import Finished
from temperance.study.reserves import FIRST, refit_seconds, reserves, ships_as_it_is, together
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
    assert reserves(State(), SPLIT) == FIRST


def test_a_net_that_ships_as_it_is_needs_no_refit():
    kept, again = result("a", 0.1, 30.0, weights="weights.safetensors"), result("b", 0.1, 30.0)
    assert ships_as_it_is(kept)
    assert ships_as_it_is(result("c", 0.1, 30.0, shipped=True))
    assert reserves(State(results=[kept]), SPLIT)["refit"] == 0.0
    assert reserves(State(results=[again]), SPLIT)["refit"] == pytest.approx(refit_seconds(again, SPLIT))


def test_the_members_of_a_mixture_and_the_basic_models_count():
    basic = result("l", 0.3, 1.0, kind="basic", model="Linear")
    best, other = result("a", 0.1, 10.0), result("b", 0.2, 20.0)
    kept = reserves(State(results=[other, best, basic]), SPLIT, workers=2)
    assert kept["refit"] == pytest.approx(together([refit_seconds(r, SPLIT) for r in (best, other, basic)], 2))
    assert kept["mixture"] == 1.0
    many = [result(str(i), 0.01 * i, 1.0, shipped=True) for i in range(9)]
    assert reserves(State(results=many), SPLIT)["evaluation"] == reserves(State(results=many[:4]), SPLIT)["evaluation"]
    hurried = reserves(State(results=[other, best, basic]), SPLIT, workers=2, interrupted=True)
    assert hurried["evaluation"] < kept["evaluation"]


def test_a_refit_is_one_training_of_a_trial():
    own = result("u", 0.1, 30.0, model="user")
    assert refit_seconds(own, FOLDED) == pytest.approx(0.3 + 1.1 * 1.3 * 30 / 3)
    assert refit_seconds(result("t", 0.1, 30.0, shipped=True), FOLDED) == 0.0


def test_a_measured_export_replaces_the_guess():
    state = State(results=[result("a", 0.1, 1.0)], tests={"winner": Finished(name="winner", export_seconds=4.0)})
    assert reserves(state, SPLIT)["export"] == pytest.approx(4.4)


def test_side_by_side():
    assert together([], 2) == 0.0
    assert together([4.0, 1.0, 1.0], 2) == 4.0
    assert together([1.0, 1.0, 1.0, 1.0], 2) == 2.0
