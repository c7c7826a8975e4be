import numpy as np

from temperance.evaluation.base import Outcome
from temperance.evaluation.metrics.coverage import IntervalCoverage
from temperance.records.statistics import wilson


def outcome(half, n=200):
    y = np.linspace(-1, 1, n)
    return Outcome(np.zeros(n), y, "regression", low=np.full(n, -half), high=np.full(n, half))


def test_share_inside_ends_included():
    o = Outcome(np.zeros(4), np.array([0.0, 1.0, 2.0, -1.0]), "regression", low=np.full(4, -1.0), high=np.ones(4))
    m = IntervalCoverage().measure(o)
    assert m.value == 0.75
    assert (m.low, m.high) == wilson(3, 4)
    assert IntervalCoverage().losses(o).tolist() == [0, 0, 1, 0]


def test_a_broken_promise_is_flagged():
    assert IntervalCoverage().measure(outcome(0.5)).flags == ("below the promised 90%",)
    assert IntervalCoverage().measure(outcome(0.9)).flags == ()


def test_needs_intervals():
    assert not IntervalCoverage().applies(Outcome(np.zeros(2), np.zeros(2), "regression"))
