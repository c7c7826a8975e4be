import numpy as np
import pytest
from sklearn import metrics as sk

from temperance.evaluation.base import Outcome
from temperance.evaluation.metrics.rmse import Rmse


def outcome(n=300, groups=None):
    generator = np.random.default_rng(0)
    y = generator.normal(size=n)
    return Outcome(y + generator.standard_t(5, size=n), y, "regression", groups=groups)


def test_matches_scikit_learn():
    o = outcome()
    assert Rmse().measure(o).value == pytest.approx(sk.root_mean_squared_error(o.target, o.prediction))


def test_interval_is_reproducible_and_about_right():
    o = outcome(2000)
    m = Rmse().measure(o)
    assert m == Rmse().measure(o)
    square = np.square(o.prediction - o.target)
    error = square.std() / np.sqrt(2000) / (2 * m.value)
    assert (m.high - m.low) / 2 == pytest.approx(1.96 * error, rel=0.1)


def test_groups_and_single_rows():
    grouped = Rmse().measure(outcome(300, groups=np.arange(300) // 100))
    assert grouped.low <= grouped.value <= grouped.high
    one = Rmse().measure(Outcome(np.array([1.0]), np.array([3.0]), "regression"))
    assert (one.value, one.low, one.high) == (2.0, None, None)
