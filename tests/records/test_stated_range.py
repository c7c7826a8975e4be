"""Ranges hold what they promise on new rows, follow the prediction where misses do, and stay simple where not."""

import numpy as np
import pytest

from temperance.records.errors import BundleError, SettingError
from temperance.records.stated_range import Scale, StatedRange, check_level, rows_for


def drawn(n: int, seed: int, spread: float) -> tuple[np.ndarray, np.ndarray]:
    """Return predictions and truths; the misses grow with the prediction by ``spread``."""
    random = np.random.default_rng(seed)
    values = random.uniform(1, 10, n)
    return values, values + random.normal(size=n) * (1 + spread * values)


def inside(made: StatedRange, values: np.ndarray, truth: np.ndarray) -> np.ndarray:
    low, high = made.bounds(values)
    return (truth >= low) & (truth <= high)


@pytest.mark.parametrize("spread", [0.0, 1.0])
@pytest.mark.parametrize("level", [0.5, 0.8, 0.95])
def test_coverage_is_near_the_promise_on_new_rows(spread, level):
    found = []
    for seed in range(12):
        values, truth = drawn(300, seed, spread)
        made = StatedRange.of(truth - values, values, level=level)
        found.append(inside(made, *drawn(4000, 100 + seed, spread)).mean())
    assert np.mean(found) == pytest.approx(level, abs=0.02)


def test_a_width_that_follows_evens_the_coverage_and_is_narrower():
    values, truth = drawn(600, 0, 1.0)
    plain, follows = StatedRange.of(truth - values, level=0.8), StatedRange.of(truth - values, values, level=0.8)
    assert plain.scale is None
    assert follows.scale is not None
    new, known = drawn(20_000, 1, 1.0)
    small = new < 3
    assert abs(inside(follows, new, known)[small].mean() - 0.8) < abs(inside(plain, new, known)[small].mean() - 0.8) / 2
    widths = [np.mean(np.subtract(*made.bounds(new)[::-1])) for made in (follows, plain)]
    assert widths[0] < 0.97 * widths[1]
    assert follows.scale.of_values(values).mean() == pytest.approx(1.0)


def test_even_misses_and_few_rows_keep_one_width():
    assert all(StatedRange.of(t - v, v).scale is None for v, t in (drawn(300, seed, 0.0) for seed in range(20)))
    values, truth = drawn(60, 0, 2.0)
    assert StatedRange.of(truth - values, values).scale is None
    assert Scale.fit(np.ones(500), np.ones(500)) is None


def test_the_rank_is_exact_and_too_few_rows_are_refused():
    made = StatedRange.of(-np.arange(1.0, 10.0), level=0.8, levels=(0.5,))
    assert (made.levels, made.half_widths) == ((0.5, 0.8), (5.0, 8.0))
    assert rows_for(0.8) == 4
    assert rows_for(0.9) == 9
    with pytest.raises(BundleError, match="at least 19"):
        StatedRange.of(np.arange(18.0), level=0.95)


def test_a_floor_cuts_what_cannot_be():
    low, high = StatedRange((0.8,), (3.0,), 0.8, floor=0.0).bounds(np.array([1.0, 5.0]))
    assert (low.tolist(), high.tolist()) == ([0.0, 2.0], [4.0, 8.0])


def test_it_survives_a_file_and_reads_older_ones():
    made = StatedRange((0.5, 0.9), (1.0, 2.0), 0.9, 40, Scale((0.0, 1.0), (0.5, 1.5)), 0.0)
    assert StatedRange.from_dict(made.to_dict()) == made
    old = {"level": 0.9, "levels": [0.9], "half_widths": [2.0], "n": 10}
    assert StatedRange.from_dict(old).bounds(np.array([1.0]))[1].tolist() == [3.0]
    with pytest.raises(BundleError, match=r"levels are 0.5, 0.9"):
        made.bounds(np.array([1.0]), 0.7)


@pytest.mark.parametrize("level", [0, 1, 80, -0.1])
def test_a_level_is_a_share(level):
    assert check_level(None) == 0.9
    with pytest.raises(SettingError, match="between 0 and 1"):
        check_level(level)
