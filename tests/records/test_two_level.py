import numpy as np
import pytest

from temperance.records.errors import DataError
from temperance.records.two_level import two_level


def drawn(random, seeds, rows, by_seed, by_row, noise):
    seed_part = random.normal(size=(seeds, 1)) * by_seed
    return seed_part + random.normal(size=(1, rows)) * by_row + random.normal(size=(seeds, rows)) * noise


@pytest.mark.parametrize(("seeds", "by_seed", "by_row"), [(3, 0.0, 1.0), (5, 0.2, 0.5), (10, 0.3, 0.0), (3, 0.3, 0.1)])
def test_the_interval_holds_the_mean_about_as_often_as_it_says(seeds, by_seed, by_row) -> None:
    random = np.random.default_rng(int(100 * by_seed) + seeds)
    hits = 0
    for trial in range(150):
        found = two_level(drawn(random, seeds, 80, by_seed, by_row, 0.3), resamples=300, seed=trial)
        hits += found.interval.low <= 0 <= found.interval.high
    assert hits / 150 >= 0.89


def test_what_is_told() -> None:
    values = drawn(np.random.default_rng(0), 4, 50, 0.5, 0.5, 0.1)
    found = two_level(values, seed=1)
    assert found == two_level(values, seed=1)
    assert found.value == pytest.approx(values.mean())
    assert found.over_seeds == pytest.approx(values.mean(axis=1).std(ddof=1))
    assert (found.seeds, found.rows) == (4, 50)
    flat = two_level(np.ones((3, 10)))
    assert flat.interval == (1.0, 1.0)


def test_one_seed_is_refused() -> None:
    with pytest.raises(DataError, match="at least two"):
        two_level(np.ones((1, 10)))
