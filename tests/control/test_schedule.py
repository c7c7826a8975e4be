import math

import numpy as np
import pytest

from temperance.control import (
    Cosine,
    Curriculum,
    Early,
    Late,
    LikeRate,
    Linear,
    Restarts,
    Staged,
    Steps,
    Strength,
)

P = Strength(0.4, low=0.0, high=0.9, neutral=0.0)
CASES = {
    Linear(): {0.0: 0.0, 0.25: 0.25, 1.0: 1.0},
    Linear(2.0, 0.5): {0.0: 2.0, 0.5: 1.25, 1.0: 0.5},
    Cosine(): {0.0: 0.0, 0.5: 0.5, 1.0: 1.0, 0.25: (1 - math.cos(math.pi / 4)) / 2},
    Cosine(1.0, 10.0): {0.0: 1.0, 0.5: 5.5, 1.0: 10.0},
    Steps((0.5, 0.75), (1.0, 0.5, 0.1)): {0.0: 1.0, 0.49: 1.0, 0.5: 0.5, 0.75: 0.1, 1.0: 0.1},
    Early(0.4): {0.0: 1.0, 0.39: 1.0, 0.4: 0.0, 1.0: 0.0},
    Early(0.4, "linear"): {0.0: 1.0, 0.2: 0.5, 0.4: 0.0, 0.9: 0.0},
    Late(0.6): {0.0: 0.0, 0.59: 0.0, 0.6: 1.0, 1.0: 1.0},
    Curriculum(10.0): {0.0: 0.0, 0.1: 1 - math.exp(-1), 1.0: 1 - math.exp(-10)},
    Restarts(1.0, 0.0, 2): {0.0: 1.0, 0.25: 0.5, 0.5: 1.0, 0.75: 0.5, 1.0: 0.0},
    LikeRate(0.1, 1.0): {0.0: 0.1, 0.5: 0.55, 1.0: 1.0},
    Staged(0.0, 1.0, 3): {0.0: 0.0, 0.3: 0.0, 0.4: 0.5, 0.7: 1.0, 1.0: 1.0},
}


@pytest.mark.parametrize("schedule", CASES, ids=repr)
def test_factors_by_hand(schedule):
    for phase, expected in CASES[schedule].items():
        assert float(schedule.factor(np.array(phase))) == pytest.approx(expected, abs=1e-12)


def at(schedule, spec, start, **signals):
    values = {"x.s": np.array(start)}
    after, _ = schedule.steer(values, signals, schedule.begin(values, {"x.s": spec}), {"x.s": spec})
    return float(after["x.s"])


def test_curriculum_dropout_as_published():
    theta = 0.5  # the published rule keeps (1 - theta) exp(-gamma t) + theta of the units
    spec = Strength(0.5, low=0.0, high=0.9, neutral=0.0)
    for t in (0.0, 0.05, 0.3, 1.0):
        published = 1 - ((1 - theta) * math.exp(-10 * t) + theta)
        assert at(Curriculum(10.0), spec, 1 - theta, progress=t) == pytest.approx(published, abs=1e-12)


def test_the_radius_follows_the_learning_rate_as_in_gsam():
    low, high, lr = 0.01, 0.05, 0.37
    spec = Strength(high, low=0.0, high=1.0, neutral=0.0)
    assert at(LikeRate(low / high, 1.0), spec, high, lr=lr) == pytest.approx(low + (high - low) * lr)


def test_ends_are_exact():
    decay = Strength(0.1, low=1e-6, high=1.0, neutral=0.0, scale="log")
    assert at(Linear(), decay, 0.123, progress=1.0) == 0.123
    assert at(Linear(), decay, 0.123, progress=0.0) == 0.0


def test_an_infinite_neutral_value_divides():
    spec = Strength(10.0, low=1.0, high=1000.0, neutral=math.inf, scale="log", stronger="down")
    assert at(Linear(), spec, 10.0, progress=0.0) == math.inf
    assert at(Linear(), spec, 10.0, progress=0.5) == 20.0
    assert at(Linear(), spec, 10.0, progress=1.0) == 10.0


def test_the_bound_stops_a_large_factor():
    assert at(Linear(1.0, 10.0), P, 0.4, progress=1.0) == 0.9


def test_the_start_is_the_users_value_not_the_current_one():
    values, specs, schedule = {"x.s": np.array(0.4)}, {"x.s": P}, Linear(1.0, 0.5)
    memory = schedule.begin(values, specs)
    for progress in (0.2, 0.6, 1.0):
        values, memory = schedule.steer(values, {"progress": progress}, memory, specs)
    assert float(values["x.s"]) == pytest.approx(0.2)
