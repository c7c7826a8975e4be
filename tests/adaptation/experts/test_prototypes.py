import numpy as np
import pytest

from temperance.adaptation.experts.prototypes import Prototypes
from temperance.adaptation.traffic import Setting, Traffic
from temperance.records.errors import SettingError


def clusters(n, rng):
    y = rng.integers(0, 3, n)
    x = 6 * np.eye(3)[y] + 0.3 * rng.normal(size=(n, 3))
    answers = np.full((n, 3), 1 / 3)
    return Traffic(answers, None, x), y


def test_rows_near_labelled_ones_get_their_class() -> None:
    rng = np.random.default_rng(0)
    one, state = Prototypes(), Prototypes().begin(Setting(3, 3))
    traffic, truth = clusters(120, rng)
    state = one.learn(state, (traffic, truth), (traffic, truth))
    fresh, y = clusters(300, rng)
    assert (one.apply(state, fresh).argmax(axis=1) == y).mean() > 0.98


def test_a_row_far_from_all_keeps_the_source_answer() -> None:
    rng = np.random.default_rng(0)
    one = Prototypes()
    traffic, truth = clusters(120, rng)
    state = one.learn(one.begin(Setting(3, 3)), (traffic, truth), (traffic, truth))
    far = Traffic(np.array([[0.2, 0.5, 0.3]]), None, np.full((1, 3), 100.0))
    assert np.allclose(one.apply(state, far), far.answers)


def test_a_run_of_one_class_pushes_nobody_out() -> None:
    rng = np.random.default_rng(0)
    traffic, truth = clusters(60, rng)
    long = Traffic.stack([traffic, Traffic(np.full((500, 3), 1 / 3), None, np.zeros((500, 3)))])
    y = np.concatenate([truth, np.zeros(500, dtype=np.int64)])
    one = Prototypes(each=10)
    state = one.learn(one.begin(Setting(3, 3)), (long, y), (long, y))
    assert np.bincount(state["target"].astype(int)).tolist() == [10, 10, 10]


def test_without_inputs_it_has_no_ground() -> None:
    assert Prototypes().begin(Setting(3)) is None
    with pytest.raises(SettingError, match="each"):
        Prototypes(each=0)
