import numpy as np
import pytest

from temperance.adaptation.mixture import Mixture
from temperance.records.errors import SettingError


def test_weights_by_hand() -> None:
    one = Mixture(forget=0.1, rate=1.0)
    said = np.array([[[0.5, 0.5]], [[0.9, 0.1]]])
    start = one.begin(2)
    assert start.tolist() == [0.5, 0.5]
    found = one.update(start, said, np.array([0]), 1.0)
    assert np.allclose(found, 0.9 * np.array([0.5, 0.9]) / 1.4 + 0.1 * start)
    assert np.allclose(one.blend(found, said), found @ said[:, 0])


def test_its_log_loss_stays_near_the_best() -> None:
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 2, 2000)
    good, bad = np.where(truth == 1, 0.8, 0.2), np.full(2000, 0.5)
    said = np.stack([np.stack([1 - p, p], axis=1) for p in (bad, good, 1 - good)])
    one, weights, total = Mixture(), Mixture().begin(3), 0.0
    for i in range(2000):
        total -= np.log(one.blend(weights, said[:, i : i + 1])[0, truth[i]])
        weights = one.update(weights, said[:, i : i + 1], truth[i : i + 1], 1.0)
    assert total < -np.log(0.8) * 2000 + 60
    assert weights[1] > 0.9


def test_values_count_squared_errors_in_their_own_unit() -> None:
    one = Mixture(forget=0.5)
    found = one.update(one.begin(2), np.array([[0.0], [2.0]]), np.array([2.0]), 1.0)
    assert np.allclose(found, 0.5 * np.array([np.exp(-2), 1]) / (1 + np.exp(-2)) + 0.25)


def test_alone_the_source_has_all_the_weight() -> None:
    assert Mixture().begin(1).tolist() == [1.0]
    with pytest.raises(SettingError, match="forget"):
        Mixture(forget=1)
