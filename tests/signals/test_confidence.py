"""Margins and probabilities by hand."""

import math

import pytest
import torch

from temperance.core.batch import Batch
from temperance.records.errors import SettingError
from temperance.signals.confidence import Confidence


def read(probe, outputs, targets, **setting):
    batch = Batch(torch.zeros(len(outputs), 1), targets)
    given = probe(valid=(batch,), outputs=lambda *_: outputs)
    return Confidence(**setting).measure(given)


def test_two_rows_of_three_classes_by_hand(probe):
    p = torch.tensor([[0.7, 0.2, 0.1], [0.3, 0.6, 0.1]], dtype=torch.float64)
    got = read(probe, p.log() + 5, torch.tensor([0, 2]))
    assert got["confidence"] == pytest.approx(0.65)
    assert got["margin"] == pytest.approx((0.5 + 0.3) / 2)
    assert got["true_probability"] == pytest.approx(0.4)
    assert got["entropy"] == pytest.approx(float(-(p * p.log()).sum(1).mean()))
    assert got["largest_logit"] == pytest.approx((math.log(0.7) + math.log(0.6)) / 2 + 5)
    assert got["overconfidence"] == pytest.approx(0.65 - 0.5)


def test_one_column_is_a_logit_of_two_classes(probe):
    z = math.log(0.9 / 0.1)
    got = read(probe, torch.tensor([[z], [z]]), torch.tensor([1.0, 0.0]))
    assert got["confidence"] == pytest.approx(0.9, rel=1e-6)
    assert got["true_probability"] == pytest.approx(0.5, rel=1e-6)


def test_regression_and_no_batches_are_unknown(probe):
    assert all(math.isnan(v) for v in read(probe, torch.randn(3, 1), torch.tensor([0.5, 2.0, -1.0])).values())
    assert all(math.isnan(v) for v in Confidence().measure(probe()).values())


def test_probabilities_of_zero_do_not_spoil_the_entropy(probe):
    assert read(probe, torch.tensor([[1e5, 0.0], [0.0, 1e5]]), torch.tensor([0, 1]))["entropy"] == 0.0


def test_wrong_side_is_refused():
    with pytest.raises(SettingError, match="side='test'"):
        Confidence(side="test")
