import numpy as np
import pytest

from temperance.adaptation.statistics import Statistics
from temperance.monitoring.reference import build
from temperance.records.schema import Column, Rows, Schema, Target

SCHEMA = Schema((Column("a", "numeric"), Column("b", "numeric")), Target("t", "binary", ("0", "1")))


def rows(x: np.ndarray) -> Rows:
    return Rows(x, np.empty((len(x), 0), dtype=np.int32))


@pytest.fixture
def statistics() -> Statistics:
    rng = np.random.default_rng(0)
    p = rng.random(600)
    x = rng.normal(size=(600, 2)) * [1, 3] + [0, 50]
    return Statistics(build(rows(x), np.stack([1 - p, p], axis=1), SCHEMA), SCHEMA)


def fresh(count: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(count, 2)) * [1, 3] + [0, 50]


def test_usual_rows_move_nothing(statistics: Statistics) -> None:
    statistics.observe(rows(fresh(500)))
    assert statistics.moved == ()
    assert not statistics.strange
    x = fresh(5)
    assert np.array_equal(statistics.align(rows(x)).numeric, x)


def test_another_unit_is_strange_and_moved_back(statistics: Statistics) -> None:
    x = fresh(500)
    statistics.observe(rows(x * [1, 1000]))
    assert [column.name for column in statistics.moved] == ["b"]
    assert statistics.strange
    back = statistics.align(rows(x * [1, 1000])).numeric
    assert np.abs(back[:, 1] - x[:, 1]).max() < 1.5
    assert np.array_equal(back[:, 0], x[:, 0])


def test_a_mild_shift_is_moved_back_but_not_strange(statistics: Statistics) -> None:
    statistics.observe(rows(fresh(500) + np.array([1.0, 0.0])))
    assert [column.name for column in statistics.moved] == ["a"]
    assert not statistics.strange
    assert statistics.moved[0].shift == pytest.approx(1.0, abs=0.2)


def test_few_rows_and_missing_cells_say_nothing(statistics: Statistics) -> None:
    statistics.observe(rows(fresh(100) + 1000))
    assert statistics.moved == ()
    gaps = fresh(600)
    gaps[:, 0] = np.nan
    statistics.observe(rows(gaps))
    assert statistics.moved == ()


def test_its_state_goes_on(statistics: Statistics) -> None:
    statistics.observe(rows(fresh(300) * [1, 1000]))
    held = statistics.state_dict()
    moved = statistics.moved
    statistics.observe(rows(fresh(600)))
    assert statistics.moved == ()
    statistics.load_state_dict(held)
    assert statistics.moved == moved
