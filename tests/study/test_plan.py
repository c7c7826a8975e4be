"""Trainings are cut to the budget, so that several trials and the refit fit."""

import math

import pytest

from temperance.study.plan import (
    ONE_NET,
    Speed,
    can_fold,
    cost_factor,
    covered_once,
    default_settings,
    epoch_steps,
    fit_to_budget,
    linear_rows,
    trainings,
    trial_seconds,
)

SPEED = Speed(step_seconds=0.01, fixed_seconds=0.1)


def test_default_settings_depend_on_the_size(runner, large_bench):
    small = default_settings(runner.table, runner.roles, model="Tabular")
    large = default_settings(large_bench.table, large_bench.roles, model="Tabular")
    assert small["epochs"] > large["epochs"]
    assert small["batch_size"] < large["batch_size"]


def test_folds_are_trained_at_once_by_the_tabular_net(runner):
    assert covered_once(runner.roles)
    assert can_fold("Tabular", runner.roles)
    assert not can_fold("ResNet", runner.roles)
    assert trainings(runner.roles, "Tabular") == 1.0
    assert trainings(runner.roles, "ResNet") == len(runner.roles.folds)


def test_time_follows_steps(large_bench):
    settings = {"epochs": 10.0, "batch_size": 128}
    steps = 10 * epoch_steps(settings, len(large_bench.roles.train))
    found = trial_seconds(settings, SPEED, large_bench.roles, model="Tabular")
    assert found == pytest.approx(steps * 0.01 + 0.1)


@pytest.mark.parametrize(
    ("model", "folds", "rounds"), [("user", True, 1.4), ("user", False, 1.0), ("Tabular", False, 1.0)]
)
@pytest.mark.parametrize("seconds", [5.0, 20.0])
def test_cut_trainings_leave_time_for_others_and_where_there_is_one_for_the_refit(
    large_bench, runner, seconds, model, folds, rounds
):
    roles = runner.roles if folds else large_bench.roles
    settings = {"epochs": 4000.0, "batch_size": 64}
    cut = fit_to_budget(settings, SPEED, roles, model=model, seconds=seconds, workers=2)
    once = trial_seconds(cut, SPEED, roles, model=model)
    assert cut["epochs"] < 4000
    assert once * rounds <= seconds * 1.15


def test_enough_time_or_no_clock_changes_nothing(large_bench):
    settings = {"epochs": 3.0, "batch_size": 64}
    for seconds in (1000.0, math.inf):
        assert (
            fit_to_budget(settings, SPEED, large_bench.roles, model="Tabular", seconds=seconds, workers=2) == settings
        )


def test_two_passes_cost_more():
    assert cost_factor({"regularizers": [{"name": "SAM"}]}) > 2
    assert cost_factor(None) == 1.0


def test_a_linear_model_on_images_keeps_to_a_tenth_of_the_search():
    assert linear_rows(math.inf, 256, 10) is None
    assert linear_rows(50.0, 256, 10) >= 5_000  # 28 × 28 grey in a budget of a minute: no image is left out
    assert linear_rows(50.0, 768, 10) == pytest.approx(linear_rows(50.0, 256, 10) / 3, rel=0.01)
    assert linear_rows(1.0, 768, 100) == 2_000


def test_a_folded_run_gets_most_of_a_short_search_and_its_readings_count(runner):
    settings, seconds = {"epochs": 4000.0, "batch_size": 64}, 20.0
    cut = fit_to_budget(settings, SPEED, runner.roles, model="Tabular", seconds=seconds, workers=1)
    taken = trial_seconds(cut, SPEED, runner.roles, model="Tabular")
    assert taken == pytest.approx(ONE_NET * seconds, rel=0.01)
    nothing = trial_seconds({**cut, "epochs": 0.0}, SPEED, runner.roles, model="Tabular")
    assert nothing > SPEED.fixed_seconds
    others = fit_to_budget(settings, SPEED, runner.roles, model="user", seconds=seconds, workers=1)
    assert others["epochs"] < cut["epochs"]
