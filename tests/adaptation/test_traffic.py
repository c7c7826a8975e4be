import numpy as np
import pytest

from temperance.adaptation.traffic import FLOOR, Setting, Traffic, logs, softmax
from temperance.records.errors import DataError


def test_parts_are_taken_and_stacked_together() -> None:
    one = Traffic(np.arange(6.0).reshape(3, 2), None, np.arange(3.0)[:, None])
    both = Traffic.stack([one, one.take(slice(1, None))])
    assert both.size == 5
    assert both.members is None
    assert both.features.ravel().tolist() == [0, 1, 2, 1, 2]
    mixed = Traffic.stack([one, Traffic(one.answers)])
    assert mixed.features is None


def test_the_setting_of_values_has_their_scale() -> None:
    rng = np.random.default_rng(0)
    target = rng.normal(10, 4, 500)
    found = Setting.of({"sample": target + 2, "sample_target": target})
    assert found.classes == 0
    assert found.centre == pytest.approx(10, abs=0.5)
    assert found.error == pytest.approx(4 / found.scale**2)


def test_what_is_no_reference_or_no_weight_is_refused() -> None:
    with pytest.raises(DataError, match="targets"):
        Setting.of({"sample": np.ones((3, 2))})
    with pytest.raises(DataError, match="weights"):
        Setting.of({"sample": np.ones((3, 2)), "sample_target": np.zeros(3)}, shares=[0.5, 0.1])


def test_logs_and_softmax_are_inverse_above_the_floor() -> None:
    p = np.array([[0.7, 0.2, 0.1]])
    assert np.allclose(softmax(logs(p)), p)
    assert np.isfinite(logs(np.array([[1.0, 0.0]]))).all()
    assert logs(np.array([[1.0, 0.0]]))[0, 0] == pytest.approx(-np.log(FLOOR) / 2)
