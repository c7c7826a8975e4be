import numpy as np
import pytest
from sklearn import metrics as sk

from temperance.evaluation.base import Outcome
from temperance.evaluation.metrics.r2 import R2


def outcome(n=300, groups=None):
    generator = np.random.default_rng(0)
    y = generator.normal(size=n)
    return Outcome(y + generator.standard_t(5, size=n), y, "regression", groups=groups)


def test_matches_scikit_learn():
    o = outcome()
    m = R2().measure(o)
    assert m.value == pytest.approx(sk.r2_score(o.target, o.prediction))
    assert m.low < m.value < m.high


def test_spread_of_contributions_is_that_of_the_bootstrap():
    o = outcome(1000)
    generator = np.random.default_rng(1)
    draws = [R2().contributions(o.take(generator.integers(0, o.n, o.n))).mean() for _ in range(400)]
    assert R2().contributions(o).std() / np.sqrt(o.n) == pytest.approx(np.std(draws), rel=0.15)


def test_needs_targets_that_differ():
    assert not R2().applies(Outcome(np.zeros(3), np.ones(3), "regression"))
