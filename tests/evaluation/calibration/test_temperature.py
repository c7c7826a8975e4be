import numpy as np
import pytest
from scipy.optimize import minimize_scalar

from temperance.evaluation.calibration import Temperature, refinement_loss
from temperance.evaluation.calibration.base import floored_logs
from temperance.records.errors import DataError


def fit(p, y):
    return Temperature.fit(floored_logs(p), np.asarray(y))


@pytest.mark.parametrize("true", [0.5, 1.0, 3.0])
def test_the_temperature_is_found_again(true, made):
    p, y = made(true)
    fitted = fit(p, y)
    assert fitted.value == pytest.approx(true, rel=0.08)
    assert np.array_equal(fitted.apply(p).argmax(axis=1), p.argmax(axis=1))


def test_it_is_the_least_log_loss(made):
    p, y = made(2.0, n=300)

    def loss(log_t):
        q = p ** (1 / np.exp(log_t))
        return -np.log(q[np.arange(300), y] / q.sum(axis=1)).mean()

    best = minimize_scalar(loss, bounds=(-3, 3), method="bounded", options={"xatol": 1e-10})
    assert fit(p, y).value == pytest.approx(np.exp(best.x), rel=1e-5)
    assert refinement_loss(p, y) == pytest.approx(best.fun, abs=1e-6)


def test_rows_that_cannot_tell_stay_within_bounds():
    sure = np.array([[0.9, 0.1], [0.2, 0.8]])
    assert fit(sure, [0, 1]).value == pytest.approx(0.05, rel=1e-3)
    assert fit(sure, [1, 0]).value == pytest.approx(20, rel=1e-3)
    assert 0.05 <= fit(np.full((5, 2), 0.5), [0, 1, 0, 1, 1]).value <= 20


def test_refinement_loss_of_many_answers_at_once(made):
    p, y = made(1.0, n=500)
    sharp = p**3 / (p**3).sum(axis=1, keepdims=True)
    weight = np.linspace(0, 1, 500)
    both = refinement_loss(np.stack([[p, sharp], [sharp, p]]), y, sample_weight=weight)
    assert both.shape == (2, 2)
    assert both == pytest.approx(np.full((2, 2), both[0, 0]), abs=1e-5)  # confidence does not count
    assert both[0, 1] == pytest.approx(float(refinement_loss(sharp, y, sample_weight=weight)), abs=1e-9)
    assert both[0, 0] <= np.average(-np.log(p[np.arange(500), y]), weights=weight) + 1e-9


@pytest.mark.parametrize("settings", [{}, {"sample_weight": [1.0]}])
def test_shapes_that_do_not_match_are_refused(settings):
    with pytest.raises(DataError):
        refinement_loss(np.full((3, 2), 0.5), [0, 1] if not settings else [0, 1, 1], **settings)
