import numpy as np
import pytest

from temperance.evaluation.calibration import Quadratic
from temperance.evaluation.calibration.base import floored_logs


def pair(z):
    p = 1 / (1 + np.exp(-np.asarray(z, dtype=float)))
    return np.stack([1 - p, p], axis=1)


def logit(p):
    return np.log(p[:, 1] / p[:, 0])


def test_inside_the_range_it_is_the_parabola_outside_straight():
    bent = Quadratic(first=0.5, last=1.5, shift=0.3, low=-2.0, high=3.0)
    a = 1.0 / 10
    b = 0.5 - 2 * a * -2.0
    z = np.linspace(-2, 3, 11)
    assert logit(bent.apply(pair(z))) == pytest.approx(a * z**2 + b * z + 0.3)
    ends = logit(bent.apply(pair([-4.0, -3.0, 4.0, 5.0])))
    assert ends[1] - ends[0] == pytest.approx(0.5)
    assert ends[3] - ends[2] == pytest.approx(1.5)


@pytest.mark.parametrize("ends", [(1.0, 4.0), (-4.0, -1.0), (-3.0, 3.0)])
def test_one_one_nothing_changes_nothing_wherever_the_range_lies(ends):
    z = np.linspace(-6, 6, 9)
    assert logit(Quadratic(low=ends[0], high=ends[1]).apply(pair(z))) == pytest.approx(z)


def test_a_bent_truth_is_found_and_the_order_stays():
    generator = np.random.default_rng(0)
    z = generator.normal(size=20_000) * 2
    y = (0.05 * z**2 + 1.2 * z - 0.5 + generator.logistic(size=len(z)) > 0).astype(np.int64)
    fitted = Quadratic.fit(floored_logs(pair(z)), y)
    some = np.linspace(-3, 3, 7)
    assert logit(fitted.apply(pair(some))) == pytest.approx(0.05 * some**2 + 1.2 * some - 0.5, abs=0.2)
    against = Quadratic.fit(floored_logs(pair(-z)), y)
    assert (np.diff(logit(against.apply(pair(np.linspace(-20, 20, 99))))) >= -1e-9).all()


def test_exchanged_classes_give_the_exchanged_answer():
    generator = np.random.default_rng(1)
    z = generator.normal(size=300) + 1
    y = (z + generator.logistic(size=300) > 0).astype(np.int64)
    one, other = Quadratic.fit(floored_logs(pair(z)), y), Quadratic.fit(floored_logs(pair(-z)), 1 - y)
    assert one.apply(pair(z)) == pytest.approx(other.apply(pair(-z))[:, ::-1], abs=1e-5)
