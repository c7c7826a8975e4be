import numpy as np
import pytest
from scipy.optimize import minimize

from temperance.evaluation.calibration.logistic import as_scores, fit_logistic, logits_of
from temperance.records.errors import DataError


@pytest.mark.parametrize("pull", [0.0, -4.0])  # the second runs into the floor
def test_it_is_the_least_penalised_loss_above_the_floor(pull):
    generator = np.random.default_rng(0)
    x = np.c_[generator.normal(size=(80, 2)) * 3, np.ones(80)]
    y = (x @ [1.0 + pull, 0.5, -1.0] + generator.logistic(size=80) > 0).astype(np.int64)
    centre, ridge, floor = np.array([1.0, 1.0, 0.0]), np.full(3, 2.0), np.array([0.0, 0.0, -np.inf])

    def loss(t):
        return np.logaddexp(0, -(2 * y - 1) * (x @ t)).sum() + ridge @ (t - centre) ** 2

    best = minimize(loss, centre, method="L-BFGS-B", bounds=[(0, None), (0, None), (None, None)], tol=1e-12)
    found = fit_logistic(x, y, None, centre=centre, ridge=ridge, floor=floor)
    assert found == pytest.approx(best.x, abs=1e-3)
    assert loss(found) <= best.fun + 1e-9
    assert (found[0] == 0) == (pull < 0)


def test_logits_and_back():
    logs = np.log([[0.2, 0.8]])
    assert np.diff(as_scores(logits_of(logs)))[0] == pytest.approx(np.log(4))
    with pytest.raises(DataError, match="3 classes"):
        logits_of(np.zeros((1, 3)))
