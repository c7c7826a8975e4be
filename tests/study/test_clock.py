"""Budgets are read, refused with the least that works, and time is charged to parts."""

import time

import pytest

from temperance.records.errors import BudgetError
from temperance.study.clock import LEAST_SECONDS, Budget, Clock, parse_budget, process_start


@pytest.mark.parametrize(
    ("text", "seconds"), [("10m", 600), ("90s", 90), ("1h", 3600), ("600", 600), ("1.5m", 90), (" 2 MIN ", 120)]
)
def test_times_are_read(text, seconds):
    assert parse_budget(text) == Budget(seconds=seconds)


def test_trials_are_a_budget_without_a_clock():
    budget = parse_budget("12trials")
    assert budget == Budget(trials=12)
    assert budget.kind == "trials"
    assert Clock(budget, time.monotonic()).left == float("inf")


def test_one_run_is_a_budget():
    budget = parse_budget("1run")
    assert (budget, budget.kind) == (Budget(runs=1), "runs")


@pytest.mark.parametrize("text", ["soon", "10x", "-5s", "", "0trials"])
def test_nonsense_is_refused_with_an_example(text):
    with pytest.raises(BudgetError, match=r"10m|1trials"):
        parse_budget(text)


def test_too_small_a_budget_says_the_least():
    with pytest.raises(BudgetError, match=f"{LEAST_SECONDS:g}s"):
        parse_budget("5s")


def test_parts_add_up_to_the_total():
    clock = Clock(Budget(seconds=100), time.monotonic() - 1.0)
    clock.begin("read")
    time.sleep(0.02)
    clock.begin("search")
    clock.reserved = {"refit": 10.0}
    assert clock.for_search == pytest.approx(clock.left - 10.0, abs=0.01)
    clock.close()
    parts = sum(value for name, value in clock.spent.items() if name != "total")
    assert parts == pytest.approx(clock.spent["total"], abs=0.05)
    assert clock.spent["start"] == pytest.approx(1.0, abs=0.05)


def test_this_process_started_in_the_past():
    assert process_start() < time.monotonic()


def test_the_wall_clock_may_be_moved(monkeypatch):
    clock = Clock(Budget(seconds=100), time.monotonic())
    monkeypatch.setattr(time, "time", lambda: 0.0)
    assert clock.left == pytest.approx(100.0, abs=0.5)


def test_earlier_sessions_count():
    clock = Clock(Budget(seconds=100), time.monotonic(), before=70.0)
    assert clock.left == pytest.approx(30.0, abs=0.1)
    assert clock.elapsed == pytest.approx(70.0, abs=0.1)


def test_a_session_can_be_hurried_whatever_its_budget():
    clock = Clock(Budget(trials=3), time.monotonic())
    assert clock.left == float("inf")
    clock.hurry(5.0)
    assert clock.left == pytest.approx(5.0, abs=0.1)
