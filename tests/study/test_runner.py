"""Fitting is a function of the spec and the rows: bit for bit the same each time."""

from dataclasses import replace

import numpy as np
import pytest

from temperance.control.base import Move
from temperance.study.runner import BasicPredictor
from temperance.study.spec import TrialSpec

SETTINGS = {"epochs": 2.0, "batch_size": 32, "lr": 0.03}
RECIPE = {"regularizers": [{"name": "Dropout", "p": 0.2}, {"name": "MixUp", "alpha": 0.2}]}
NET = TrialSpec("t", "net", "cocktail", "Tabular", RECIPE, SETTINGS, seed=1)
NONE = np.empty(0, dtype=np.int64)


def fold(runner):
    return runner.roles.folds[0]


def test_a_net_is_reproducible_bit_for_bit(runner):
    rows, held = fold(runner)
    first, second = (runner.fit(NET, rows, NONE, measure=False) for _ in range(2))
    a, b = (one.predictor.predict(runner.table.rows.take(held)) for one in (first, second))
    assert a.tobytes() == b.tobytes()
    assert a.shape == (len(held), 2)
    other = runner.fit(NET.changed(seed=2), rows, NONE, measure=False)
    assert other.predictor.predict(runner.table.rows.take(held)).tobytes() != a.tobytes()


@pytest.mark.parametrize("model", ["Majority", "Linear", "Boosting"])
def test_basic_models_choose_and_can_be_refitted_as_chosen(runner, model):
    rows, held = fold(runner)
    fitted = runner.fit(TrialSpec("b", "b", "basic", model), rows, NONE)
    assert isinstance(fitted.predictor, BasicPredictor)
    again = runner.fit(TrialSpec("b", "b", "basic", model, settings=fitted.chosen), rows, NONE)
    answer = again.predictor.predict(runner.table.rows.take(held))
    assert answer.sum(axis=1) == pytest.approx(1.0)
    assert fitted.cost.parameters > 0


def test_marks_can_discard(runner):
    rows, _ = fold(runner)
    seen = []

    def tick(fraction, predictor):
        seen.append(fraction)
        return fraction < 0.5

    fitted = runner.fit(NET, rows, NONE, marks=(0.25, 0.5), tick=tick, measure=False)
    assert [round(f, 1) for f in seen] == [0.2, 0.5] or seen[-1] >= 0.5
    assert fitted.trained.stopped == "discarded"


def test_a_trace_is_replayed_up_to_its_stopping_point(runner):
    rows, _ = fold(runner)
    trace = [
        Move(0, 0.0, "dropout.p", "gap", 0.0, 0.4, False, ""),
        Move(2, 0.3, "dropout.p", "gap", 0.0, 0.6, False, ""),
    ]
    fitted = runner.fit(NET, rows, NONE, traces=[trace], until=0.5, measure=False)
    assert fitted.trained.fraction == pytest.approx(0.5, abs=0.1)
    assert {move.value for move in fitted.trained.trace if move.strength == "dropout.p"} == {0.4, 0.6}


def test_a_refit_has_the_size_of_the_trial(runner, large_bench):
    assert large_bench.size(NET) == runner.size(NET)
    assert runner.size(NET.changed(model="user")) == {}


def test_weights_of_the_table_reach_basic_models_and_nets(runner, monkeypatch):
    rows, held = fold(runner)
    plain = {}
    for spec in (TrialSpec("b", "b", "basic", "Linear", settings={"grid": [0.01]}), NET):
        plain[spec.id] = runner.fit(spec, rows, NONE, measure=False).predictor.predict(runner.table.rows.take(held))
    weight = np.where(runner.table.target == 1, 8.0, 1.0)
    monkeypatch.setattr(runner, "table", replace(runner.table, weight=weight))
    assert runner.sample(rows).mass == weight[rows].sum()
    for spec in (TrialSpec("b", "b", "basic", "Linear", settings={"grid": [0.01]}), NET):
        lifted = runner.fit(spec, rows, NONE, measure=False).predictor.predict(runner.table.rows.take(held))
        assert lifted[:, 1].mean() > plain[spec.id][:, 1].mean() + 0.05
