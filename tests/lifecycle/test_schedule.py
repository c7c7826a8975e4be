"""What a budget allows."""

from __future__ import annotations

import math

import numpy as np
import pytest

from temperance.lifecycle.schedule import LEAST_SHARE, schedule
from temperance.records.errors import BudgetError
from temperance.records.roles import Roles
from temperance.study.plan import Speed
from temperance.study.spec import TrialSpec

NET = TrialSpec("n", "net", "plain", "plain", {"regularizers": []}, {"epochs": 10.0, "batch_size": 10})
BASIC = TrialSpec("b", "basic", "basic", "Linear")
SPEED = {"n": Speed(0.1, 0.0)}  # 1,001 rows, 100 steps an epoch: 100 seconds a training


def roles(*, folds: bool) -> Roles:
    rows, none = np.arange(1001), np.empty(0, dtype=np.int64)
    pairs = tuple((rows, np.arange(1001, 1100)) for _ in range(5)) if folds else ()
    return Roles(rows, none, none, none, np.arange(1100, 1200), pairs)


def test_without_a_clock_or_with_time_enough_it_is_done_in_full() -> None:
    for seconds in (math.inf, 1000.0):
        found = schedule([NET], SPEED, roles(folds=False), seconds=seconds)
        assert (found.mode, found.epochs_share) == ("trial", 1.0)
        assert 200 < found.expected_seconds < 300
        assert 100 < found.refit_seconds < found.expected_seconds


def test_with_less_time_the_course_of_the_champion_is_followed() -> None:
    found = schedule([NET], SPEED, roles(folds=False), seconds=200.0)
    assert (found.mode, found.epochs_share) == ("course", 1.0)


def test_with_little_time_epochs_are_fewer_and_folds_keep_the_trial() -> None:
    found = schedule([NET], SPEED, roles(folds=False), seconds=100.0)
    assert found.mode == "course"
    assert LEAST_SHARE < found.epochs_share < 1
    found = schedule([NET], SPEED, roles(folds=True), seconds=400.0)
    assert found.mode == "trial"
    assert LEAST_SHARE < found.epochs_share < 1


def test_the_least_that_works_is_said_and_works() -> None:
    with pytest.raises(BudgetError, match=r"Use --budget \d+s") as caught:
        schedule([NET], SPEED, roles(folds=False), seconds=15.0, elapsed=5.0)
    least = float(caught.value.remedy.split()[2].removesuffix("s"))
    found = schedule([NET], SPEED, roles(folds=False), seconds=least - 5.0, elapsed=5.0)
    assert found.epochs_share >= LEAST_SHARE


def test_basic_models_need_no_speed() -> None:
    found = schedule([BASIC], {}, roles(folds=False), seconds=15.0)
    assert (found.mode, found.epochs_share) == ("trial", 1.0)
