"""Which basic models are tried, and how long they take."""

import subprocess
import sys

import numpy as np
import pytest

from temperance.models import BASIC
from temperance.models.basic.boosting import LADDER, USUAL
from temperance.study.basics import (
    ALWAYS,
    FURTHER,
    absent,
    affordable,
    audit_seconds,
    basic_specs,
    compared,
    expected_seconds,
    further,
    quick,
    share_of,
)
from temperance.study.clock import Budget
from temperance.study.spec import TrialSpec
from temperance.study.state import Result, State

NEVER = float("inf")


def test_what_is_not_installed_is_left_out_and_said(monkeypatch):
    monkeypatch.setattr("temperance.models.basic.base.find_spec", lambda name: None)
    assert [s.model for s in basic_specs(images=False, seed=0)] == [*ALWAYS, "ExtraTrees"]
    assert [s.model for s in basic_specs(images=True, seed=0)] == ["Majority", "Linear"]
    rows = absent(images=False)
    assert [row["what"] for row in rows] == ["gradient boosting (LightGBM)", "gradient boosting (CatBoost)"]
    assert all("pip install temperance[boosting]" in row["why"] for row in rows)
    assert absent(images=True) == []


def test_everything_competes_where_it_is_installed(monkeypatch):
    monkeypatch.setattr("temperance.models.basic.base.find_spec", lambda name: object())
    assert [s.model for s in basic_specs(images=False, seed=0)] == [*ALWAYS, "LightGBM", "CatBoost", "ExtraTrees"]
    assert absent(images=False) == []


def test_dear_models_are_left_out_with_the_reason_and_the_first_three_never(runner):
    specs = basic_specs(images=False, seed=0)
    kept, out = affordable(specs, runner.schema, runner.roles, seconds=0.01, workers=1)
    assert [spec.model for spec in kept] == list(ALWAYS)
    assert len(out) == len(specs) - 3
    assert "the budget spares 0 s" in out[0]["why"]
    assert affordable(specs, runner.schema, runner.roles, seconds=NEVER, workers=2) == (specs, [])
    few, said = affordable(specs, runner.schema, runner.roles, seconds=NEVER, workers=1, trials=5)
    assert [spec.model for spec in few] == list(ALWAYS)
    assert "third of 5 trials" in said[0]["why"]


def test_folds_and_capped_rows_change_the_expected_time(runner, large_bench):
    spec = TrialSpec("", "", "basic", "Boosting")
    rows, columns = len(runner.roles.folds[0][0]), 6  # three numbers and a category of three words
    one = BASIC["Boosting"].seconds(rows, columns, 2)
    assert expected_seconds(spec, runner.schema, runner.roles) == pytest.approx(len(runner.roles.folds) * one)
    whole = expected_seconds(spec, large_bench.schema, large_bench.roles)
    assert expected_seconds(spec.changed(most_rows=100), large_bench.schema, large_bench.roles) < whole


def test_the_leading_process_loads_no_torch():
    code = "import sys, temperance.study.study; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_quick_look_tries_one_setting_of_a_slow_boosting_and_all_of_a_quick_one(large_bench, monkeypatch):
    spec = next(s for s in basic_specs(images=False, seed=0) if s.model == "Boosting")
    schema, roles = large_bench.schema, large_bench.roles
    monkeypatch.setattr("temperance.study.basics.QUICK", 1e6)
    assert quick(spec, schema, roles) is spec
    monkeypatch.setattr("temperance.study.basics.QUICK", 0.0)
    assert quick(spec, schema, roles).settings == {"tries": 1}
    linear = next(s for s in basic_specs(images=False, seed=0) if s.model == "Linear")
    assert quick(linear, schema, roles) is linear


def test_the_audit_gets_a_tenth_of_the_budget_and_ten_seconds_of_a_quick_look():
    assert audit_seconds(Budget(seconds=60.0)) == 6.0
    assert audit_seconds(Budget(seconds=10.0)) == 1.5
    assert audit_seconds(Budget(runs=1)) == 10.0
    assert audit_seconds(Budget(trials=5)) is None


def test_boosting_goes_on_where_it_stopped_while_a_clock_runs():
    def next_of(tried, budget):
        done = Result(
            TrialSpec("t1", "gradient boosting", "basic", "Boosting"),
            {"status": "done", "tried": tried},
            losses=np.ones(3),
        )
        return further(State(results=[done]), budget)

    minute = Budget(seconds=60.0)
    (spec,) = next_of(USUAL, minute)
    assert (spec.name, spec.id) == (FURTHER, "")
    assert spec.settings == {"first": USUAL, "tries": len(LADDER) - USUAL}
    assert BASIC[spec.model](**spec.settings).tries > 0
    assert next_of(1, minute)[0].settings == {"first": 1, "tries": len(LADDER) - 1}  # the clock ended it after one
    assert next_of(USUAL, Budget(trials=9)) == []
    assert further(State(), minute) == []


def test_only_what_ends_in_time_is_given_a_share_of_it():
    for name, model in BASIC.items():
        spec = TrialSpec("", "", "basic", name)
        assert (share_of(spec) < 1) == (name == "Boosting")
        assert model.takes_until or share_of(spec) == 1
    assert share_of(TrialSpec("", "", "folded", "Tabular")) == 1


def test_a_winner_is_compared_with_simple_models_and_the_plain_net():
    state = State()
    for name, kind, model in (("m", "basic", "Majority"), ("l", "basic", "Linear"), ("p", "plain", "Tabular")):
        state.results.append(Result(TrialSpec(name, name, kind, model), {}, losses=np.ones(2)))
    assert compared(state, images=False) == {"simple": "m", "plain": "p"}
    assert compared(state, images=True) == {"simple": "m", "plain": "p", "linear": "l"}
