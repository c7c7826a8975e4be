import numpy as np
import pytest
from scipy.optimize import minimize

from temperance.evaluation.calibration import Matrix, Temperature
from temperance.evaluation.calibration.base import floored_logs


def loss(p, y):
    return -np.log(p[np.arange(len(y)), y]).mean()


def test_it_is_the_least_penalised_loss(made):
    p, y = made(1.5, n=120, classes=3)
    logs = floored_logs(p)
    t = Temperature.fit(logs, y).value
    z = (logs - logs.mean(axis=1, keepdims=True)) / t
    ridge = np.where(np.eye(3) > 0, 3, 6)

    def objective(flat):
        d, b = flat[:9].reshape(3, 3), flat[9:]
        s = z + z @ d.T + b
        ce = np.log(np.exp(s).sum(axis=1)).sum() - s[np.arange(120), y].sum()
        return ce + (ridge * d**2).sum() + 3 * (b**2).sum()

    best = minimize(objective, np.zeros(12), method="BFGS", tol=1e-8)
    fitted = Matrix.fit(logs, y)
    assert np.asarray(fitted.weight) * t - np.eye(3) == pytest.approx(best.x[:9].reshape(3, 3), abs=1e-3)
    assert fitted.shift == pytest.approx(best.x[9:], abs=1e-3)


def test_classes_that_lean_on_each_other_are_set_right(made):
    p, y = made(1.0, n=6000, classes=3)
    mixed = np.exp(np.log(p) @ (np.eye(3) + 0.6 * np.eye(3)[[1, 0, 2]]))
    mixed /= mixed.sum(axis=1, keepdims=True)
    logs, half = floored_logs(mixed), slice(0, 3000)
    fitted, plain = Matrix.fit(logs[half], y[half]), Temperature.fit(logs[half], y[half])
    assert loss(fitted.apply(mixed[3000:]), y[3000:]) < 0.95 * loss(plain.apply(mixed[3000:]), y[3000:])


def test_many_classes_keep_their_diagonal_alone(made):
    p, y = made(1.0, n=200, classes=31)
    weight = np.asarray(Matrix.fit(floored_logs(p), y).weight)
    assert np.count_nonzero(weight - np.diag(np.diag(weight))) == 0
