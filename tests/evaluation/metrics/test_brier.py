import numpy as np
import pytest
from sklearn import metrics as sk

from temperance.evaluation.base import Outcome
from temperance.evaluation.metrics.brier import Brier


def outcome(classes, n=400, seed=0):
    generator = np.random.default_rng(seed)
    z = 2 * generator.normal(size=(n, classes)).round(1)
    y = (z / 2 + generator.gumbel(size=z.shape)).argmax(axis=1)
    p = np.exp(z)
    return Outcome(p / p.sum(axis=1, keepdims=True), y, "binary" if classes == 2 else "multiclass")


@pytest.mark.parametrize("classes", [2, 5])
def test_matches_scikit_learn(classes):
    o = outcome(classes)
    theirs = (
        sk.brier_score_loss(o.target, o.prediction[:, 1])
        if classes == 2
        else np.square(o.prediction - np.eye(classes)[o.target]).sum(axis=1).mean()
    )
    assert Brier().measure(o).value == pytest.approx(theirs, rel=1e-9)


def test_the_ends_of_the_scale():
    wrong = np.array([[1.0, 0.0, 0.0]])
    assert Brier().measure(Outcome(wrong, np.array([1]), "multiclass")).value == 2.0
    assert Brier().measure(Outcome(wrong[:, :2], np.array([1]), "binary")).value == 1.0
