import numpy as np
import pytest

from temperance.evaluation.base import Outcome
from temperance.evaluation.diagram import reliability


def test_bins_by_hand():
    p = np.array([[0.95, 0.05], [0.85, 0.15], [0.8, 0.2], [0.65, 0.35], [0.55, 0.45]])
    bins = reliability(Outcome(p, np.array([0, 0, 1, 0, 1]), "binary"))
    assert [(b.low, b.n) for b in bins] == [(0.5, 1), (0.6, 1), (0.8, 2), (0.9, 1)]
    middle = bins[2]
    assert middle.confidence == pytest.approx(0.825)
    assert middle.accuracy == 0.5
    assert middle.accuracy_low < 0.5 < middle.accuracy_high
    assert middle.expected_low < middle.confidence < middle.expected_high
    assert set(middle.to_dict()) >= {"low", "high", "confidence", "accuracy", "n"}


def test_a_true_model_stays_where_it_is_expected():
    generator = np.random.default_rng(0)
    c = generator.uniform(0.5, 1, size=5000)
    y = (generator.random(5000) > c).astype(int)
    bins = reliability(Outcome(np.stack([c, 1 - c], axis=1), y, "binary"))
    assert sum(b.n for b in bins) == 5000
    assert sum(not b.expected_low <= b.accuracy <= b.expected_high for b in bins) <= 1  # 5 of 100 lie outside


def test_regression_has_none():
    assert reliability(Outcome(np.zeros(3), np.zeros(3), "regression")) == ()
