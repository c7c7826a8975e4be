import numpy as np
import pytest
from scipy import stats

from temperance.evaluation.conformal import (
    coverage_range,
    half_width,
    interval,
    lac_sets,
    lac_threshold,
    order_statistic,
)
from temperance.records.errors import SettingError


def test_order_statistic_by_hand():
    # n = 9, coverage 0.9: k = ceil(10 · 0.9) = 9, the largest; n = 8: k = 9 > 8, no finite promise
    assert order_statistic(np.arange(1, 10), coverage=0.9) == 9
    assert order_statistic(np.arange(1, 9), coverage=0.9) == np.inf
    assert order_statistic(np.arange(1, 100), coverage=0.9) == 90
    with pytest.raises(SettingError):
        order_statistic([1.0], coverage=90)


def test_half_width_covers_what_it_promises():
    generator = np.random.default_rng(0)
    held = []
    for _ in range(300):
        error = generator.standard_t(3, size=(2, 200))
        half = half_width(np.zeros(200), error[0], coverage=0.9)
        held.append((np.abs(error[1]) <= half).mean())
    assert np.mean(held) == pytest.approx(0.9, abs=0.01)
    low, high = interval([1.0, 2.0], half=0.5)
    assert (high - low).tolist() == [1.0, 1.0]


def test_sets_cover_what_they_promise():
    generator = np.random.default_rng(1)
    p = generator.dirichlet(np.ones(5), size=6000)
    y = (p.cumsum(axis=1) < generator.random((6000, 1))).sum(axis=1)
    threshold = lac_threshold(p[:3000], y[:3000], coverage=0.9)
    sets = lac_sets(p[3000:], threshold=threshold)
    assert sets[np.arange(3000), y[3000:]].mean() == pytest.approx(0.9, abs=0.02)
    assert sets.shape == (3000, 5)


def test_coverage_range_is_the_beta_law():
    k = 91  # ceil(101 · 0.9)
    assert coverage_range(100) == pytest.approx(stats.beta.ppf([0.025, 0.975], k, 101 - k))
    assert coverage_range(5) == (1.0, 1.0)
