import numpy as np
import pytest
from sklearn import metrics as sk

from temperance.evaluation.base import Outcome
from temperance.evaluation.metrics.balanced_accuracy import BalancedAccuracy


def outcome(classes, n=400, seed=0):
    generator = np.random.default_rng(seed)
    z = 2 * generator.normal(size=(n, classes)).round(1)
    y = (z / 2 + generator.gumbel(size=z.shape)).argmax(axis=1)
    p = np.exp(z)
    return Outcome(p / p.sum(axis=1, keepdims=True), y, "binary" if classes == 2 else "multiclass")


@pytest.mark.parametrize("classes", [2, 5])
def test_matches_scikit_learn(classes):
    o = outcome(classes)
    theirs = sk.balanced_accuracy_score(o.target, o.label)
    assert BalancedAccuracy().measure(o).value == pytest.approx(theirs, rel=1e-9)


@pytest.mark.parametrize("classes", [2, 4])
def test_spread_of_contributions_is_that_of_the_bootstrap(classes):
    o = outcome(classes)
    generator = np.random.default_rng(1)
    draws = [BalancedAccuracy().contributions(o.take(generator.integers(0, o.n, o.n))).mean() for _ in range(400)]
    error = BalancedAccuracy().contributions(o).std() / np.sqrt(o.n)
    assert error == pytest.approx(np.std(draws), rel=0.15)


def test_absent_classes_are_said():
    o = Outcome(np.full((4, 3), 1 / 3), np.array([0, 0, 1, 1]), "multiclass")
    assert BalancedAccuracy().measure(o).value == 0.5
    assert BalancedAccuracy().measure(o).flags == ("1 classes have no row here and do not count",)
