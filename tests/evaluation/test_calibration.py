import numpy as np
import pytest
from scipy.optimize import minimize_scalar

from temperance.evaluation.calibration import fit_temperature
from temperance.records.errors import DataError


def made(temperature, n=4000, seed=0):
    generator = np.random.default_rng(seed)
    z = 2 * generator.normal(size=(n, 4))
    y = (z + generator.gumbel(size=z.shape)).argmax(axis=1)
    p = np.exp(z * temperature)
    return p / p.sum(axis=1, keepdims=True), y


@pytest.mark.parametrize("true", [0.5, 1.0, 3.0])
def test_the_temperature_is_found_again(true):
    p, y = made(true)
    fitted = fit_temperature(p, y)
    assert fitted.value == pytest.approx(true, rel=0.08)
    assert fitted.loss_after <= fitted.loss_before
    assert fitted.n == 4000
    assert np.array_equal(fitted.apply(p).argmax(axis=1), p.argmax(axis=1))
    assert np.allclose(fitted.apply(p).sum(axis=1), 1)


def test_it_is_the_least_log_loss():
    p, y = made(2.0, n=300)

    def loss(log_t):
        q = p ** (1 / np.exp(log_t))
        return -np.log(q[np.arange(300), y] / q.sum(axis=1)).mean()

    best = minimize_scalar(loss, bounds=(-3, 3), method="bounded", options={"xatol": 1e-10})
    assert fit_temperature(p, y).value == pytest.approx(np.exp(best.x), rel=1e-5)


def test_rows_that_cannot_tell_stay_within_bounds():
    sure = np.array([[0.9, 0.1], [0.2, 0.8]])
    assert fit_temperature(sure, [0, 1]).value == pytest.approx(0.05, rel=1e-3)
    assert fit_temperature(sure, [1, 0]).value == pytest.approx(20, rel=1e-3)
    assert 0.05 <= fit_temperature(np.full((5, 2), 0.5), [0, 1, 0, 1, 1]).value <= 20
    with pytest.raises(DataError):
        fit_temperature(np.zeros((0, 2)), [])


def test_round_trip_to_a_dictionary():
    assert set(fit_temperature(*made(1.0, n=50)).to_dict()) == {"value", "n", "loss_before", "loss_after"}
