import numpy as np
import pytest

from temperance.evaluation.calibration import Beta
from temperance.evaluation.calibration.base import floored_logs
from temperance.records.errors import DataError


def test_the_formula():
    p = np.array([[0.2, 0.8]])
    out = Beta(first=0.5, second=2.0, shift=0.1).apply(p)
    assert np.log(out[0, 1] / out[0, 0]) == pytest.approx(2 * np.log(0.8) - 0.5 * np.log(0.2) + 0.1)
    assert Beta().apply(p) == pytest.approx(p)


def test_the_truth_is_found(made):
    p, y = made(1.0, n=20_000, classes=2)
    true = Beta(first=0.6, second=1.4, shift=0.2)
    y = (np.random.default_rng(1).random(len(y)) < true.apply(p)[:, 1]).astype(np.int64)
    fitted = Beta.fit(floored_logs(p), y)
    assert (fitted.first, fitted.second, fitted.shift) == pytest.approx((0.6, 1.4, 0.2), abs=0.1)


def test_three_classes_are_refused(made):
    p, y = made(1.0, n=30, classes=3)
    with pytest.raises(DataError, match="3 classes"):
        Beta.fit(floored_logs(p), y)
