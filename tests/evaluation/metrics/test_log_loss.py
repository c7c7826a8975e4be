import numpy as np
import pytest
from sklearn import metrics as sk

from temperance.evaluation.base import Outcome
from temperance.evaluation.metrics.log_loss import LogLoss


def outcome(classes, n=400, seed=0):
    generator = np.random.default_rng(seed)
    z = 2 * generator.normal(size=(n, classes)).round(1)
    y = (z / 2 + generator.gumbel(size=z.shape)).argmax(axis=1)
    p = np.exp(z)
    return Outcome(p / p.sum(axis=1, keepdims=True), y, "binary" if classes == 2 else "multiclass")


@pytest.mark.parametrize("classes", [2, 5])
def test_matches_scikit_learn(classes):
    o = outcome(classes)
    theirs = sk.log_loss(o.target, o.prediction)
    assert LogLoss().measure(o).value == pytest.approx(theirs, rel=1e-9)


def test_certain_and_wrong_costs_a_finite_amount():
    o = Outcome(np.array([[1.0, 0.0]]), np.array([1]), "binary")
    assert LogLoss().measure(o).value == pytest.approx(-np.log(1e-7))
