import numpy as np
import pytest
from sklearn.metrics import mean_poisson_deviance

from temperance.evaluation.base import Outcome
from temperance.evaluation.metrics.poisson_deviance import PoissonDeviance


def test_it_is_scikit_learns_and_finite_at_a_mean_of_0():
    random = np.random.default_rng(0)
    mean = random.gamma(2.0, size=100)
    y = random.poisson(mean).astype(float)
    seen = Outcome(mean, y, "regression", counts=True)
    assert PoissonDeviance().measure(seen).value == pytest.approx(mean_poisson_deviance(y, mean))
    wrong = Outcome(np.array([0.0, 0.0]), np.array([3.0, 0.0]), "regression", counts=True)
    found = PoissonDeviance().contributions(wrong)
    assert np.isfinite(found).all()
    assert found[0] > 20 > found[1]


def test_it_needs_counts():
    assert not PoissonDeviance().applies(Outcome(np.ones(3), np.ones(3), "regression"))
