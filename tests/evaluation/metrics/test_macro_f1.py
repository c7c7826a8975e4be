import numpy as np
import pytest
from sklearn import metrics as sk

from temperance.evaluation.base import Outcome
from temperance.evaluation.metrics.macro_f1 import MacroF1


def outcome(classes, n=400, seed=0):
    generator = np.random.default_rng(seed)
    z = 2 * generator.normal(size=(n, classes)).round(1)
    y = (z / 2 + generator.gumbel(size=z.shape)).argmax(axis=1)
    p = np.exp(z)
    return Outcome(p / p.sum(axis=1, keepdims=True), y, "binary" if classes == 2 else "multiclass")


@pytest.mark.parametrize("classes", [2, 5])
def test_matches_scikit_learn(classes):
    o = outcome(classes)
    theirs = sk.f1_score(o.target, o.label, average="macro")
    assert MacroF1().measure(o).value == pytest.approx(theirs, rel=1e-9)


@pytest.mark.parametrize("classes", [2, 4])
def test_spread_of_contributions_is_that_of_the_bootstrap(classes):
    o = outcome(classes)
    generator = np.random.default_rng(1)
    draws = [MacroF1().contributions(o.take(generator.integers(0, o.n, o.n))).mean() for _ in range(400)]
    error = MacroF1().contributions(o).std() / np.sqrt(o.n)
    assert error == pytest.approx(np.std(draws), rel=0.15)


def test_a_class_neither_present_nor_predicted_does_not_count():
    o = Outcome(np.array([[0.9, 0.1, 0.0], [0.2, 0.8, 0.0]]), np.array([0, 1]), "multiclass")
    assert MacroF1().measure(o).value == 1.0
