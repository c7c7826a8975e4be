"""Margin-based smoothing against its formula."""

import numpy as np
import pytest
import torch

from temperance import MarginSmoothing
from temperance.models.loss import cross_entropy
from temperance.records.errors import RecipeError
from temperance.testing.said import LABELS, LOGITS, MEMBERS, RIGHT, value


def test_equals_the_formula():
    z = LOGITS.numpy()
    over = np.maximum(z.max(1, keepdims=True) - z - 2.5, 0)
    wanted = np.mean(-np.log(RIGHT)) + 0.3 * over.mean()
    assert float(value(MarginSmoothing(0.3, margin=2.5), LOGITS, LABELS)) == pytest.approx(wanted, abs=1e-12)


@pytest.mark.parametrize("one", [MarginSmoothing(0.3, margin=float("inf")), MarginSmoothing(0.3, margin=100.0)])
def test_a_margin_that_nothing_reaches_is_cross_entropy(one):
    assert value(one, LOGITS, LABELS) == cross_entropy(LOGITS, LABELS).mean()


def test_a_hand_computed_case():
    """Logits (3, 0), margin 1, α = 1: the term is (0 + 2) / 2 = 1, CE = log(1 + e⁻³) = 0.048587."""
    logits = torch.tensor([[3.0, 0.0]], dtype=torch.float64)
    assert float(value(MarginSmoothing(1.0, margin=1.0), logits, torch.tensor([0]))) == pytest.approx(
        1.048587, abs=1e-6
    )


def test_members_are_averaged():
    single = [value(MarginSmoothing(0.3, margin=1.0), MEMBERS[:, k], LABELS) for k in range(3)]
    torch.testing.assert_close(value(MarginSmoothing(0.3, margin=1.0), MEMBERS, LABELS), torch.stack(single).mean())


def test_a_regression_is_refused_by_name():
    with pytest.raises(RecipeError, match="MarginSmoothing"):
        value(MarginSmoothing(), LOGITS[:, :1], torch.zeros(10), loss=lambda z, y: z.squeeze(1) - y)
