"""The confidence penalty against its formula."""

import numpy as np
import pytest
import torch

from temperance import ConfidencePenalty
from temperance.records.errors import RecipeError
from temperance.testing.said import LABELS, LOGITS, MEMBERS, PROBABILITIES, RIGHT, value


def test_equals_the_formula():
    entropy = -(PROBABILITIES * np.log(PROBABILITIES)).sum(1)
    wanted = np.mean(-np.log(RIGHT)) - 0.3 * entropy.mean()
    assert float(value(ConfidencePenalty(0.3), LOGITS, LABELS)) == pytest.approx(wanted, abs=1e-12)


def test_weights_of_examples_count():
    weight = torch.arange(10, dtype=torch.float64)
    rows = torch.stack([value(ConfidencePenalty(0.3), LOGITS[i : i + 1], LABELS[i : i + 1]) for i in range(10)])
    wanted = (rows * weight).sum() / weight.sum()
    torch.testing.assert_close(value(ConfidencePenalty(0.3), LOGITS, LABELS, weight), wanted)


def test_a_hand_computed_case():
    """Equal logits of two classes: CE = H = log 2, so β = 1 leaves 0."""
    assert abs(float(value(ConfidencePenalty(1.0), torch.zeros(1, 2).double(), torch.tensor([0])))) < 1e-12


def test_members_are_averaged():
    single = [value(ConfidencePenalty(0.3), MEMBERS[:, k], LABELS) for k in range(3)]
    torch.testing.assert_close(value(ConfidencePenalty(0.3), MEMBERS, LABELS), torch.stack(single).mean())


def test_a_regression_is_refused_by_name():
    with pytest.raises(RecipeError, match="ConfidencePenalty"):
        value(ConfidencePenalty(), LOGITS[:, :1], torch.zeros(10), loss=lambda z, y: z.squeeze(1) - y)
