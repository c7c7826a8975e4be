import numpy as np
from scipy.optimize import minimize

from temperance.adaptation.fitting import ridge_fit, softmax_fit


def test_ridge_by_hand() -> None:
    x, y, w = np.array([[1.0], [2.0]]), np.array([1.0, 3.0]), np.array([1.0, 2.0])
    assert np.allclose(ridge_fit(x, y, w, penalty=0.5), (1 * 1 + 2 * 2 * 3) / (1 + 2 * 4 + 0.5))


def test_softmax_fit_reaches_what_a_general_optimiser_finds() -> None:
    rng = np.random.default_rng(0)
    x, offset = rng.normal(size=(200, 3)), rng.normal(size=(200, 3))
    y, w = rng.integers(0, 3, 200), rng.random(200) + 0.1
    share = w / w.sum()

    def loss(flat):
        z = (1 + flat[0]) * offset + x @ flat[1:].reshape(3, 3)
        z = z - z.max(axis=1, keepdims=True)
        logs = z - np.log(np.exp(z).sum(axis=1, keepdims=True))
        return -(share * logs[np.arange(200), y]).sum() + 0.05 * (flat**2).sum() / 2

    best = minimize(loss, np.zeros(10))
    matrix, scale = softmax_fit(x, offset, y, w, (np.zeros((3, 3)), 0.0), penalty=0.05, rounds=400)
    found = loss(np.concatenate([[scale], matrix.ravel()]))
    assert found - best.fun < 1e-6
    few, s = softmax_fit(x, offset, y, w, (np.zeros((3, 3)), 0.0), penalty=0.05, rounds=15)
    assert loss(np.concatenate([[s], few.ravel()])) < loss(np.zeros(10))
