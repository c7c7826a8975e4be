import numpy as np
import pytest
from sklearn import metrics as sk

from temperance.evaluation.base import Outcome
from temperance.evaluation.metrics.mae import Mae


def outcome(n=300, groups=None):
    generator = np.random.default_rng(0)
    y = generator.normal(size=n)
    return Outcome(y + generator.standard_t(5, size=n), y, "regression", groups=groups)


def test_matches_scikit_learn():
    o = outcome()
    m = Mae().measure(o)
    assert m.value == pytest.approx(sk.mean_absolute_error(o.target, o.prediction))
    assert m.low < m.value < m.high
