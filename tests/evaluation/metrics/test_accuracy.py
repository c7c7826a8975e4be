import numpy as np
import pytest
from sklearn import metrics as sk

from temperance.evaluation.base import Outcome
from temperance.evaluation.metrics.accuracy import Accuracy


def outcome(classes, n=400, seed=0):
    generator = np.random.default_rng(seed)
    z = 2 * generator.normal(size=(n, classes)).round(1)
    y = (z / 2 + generator.gumbel(size=z.shape)).argmax(axis=1)
    p = np.exp(z)
    return Outcome(p / p.sum(axis=1, keepdims=True), y, "binary" if classes == 2 else "multiclass")


@pytest.mark.parametrize("classes", [2, 5])
def test_matches_scikit_learn(classes):
    o = outcome(classes)
    theirs = sk.accuracy_score(o.target, o.label)
    assert Accuracy().measure(o).value == pytest.approx(theirs, rel=1e-9)


def test_interval_is_wilsons_and_stays_inside():
    perfect = Outcome(np.array([[1.0, 0.0]] * 30), np.zeros(30, dtype=np.int64), "binary")
    m = Accuracy().measure(perfect)
    assert (m.value, m.high) == (1.0, 1.0)
    assert m.low == pytest.approx(0.8865, abs=1e-4)
