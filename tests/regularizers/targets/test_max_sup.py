"""MaxSup against its formula and against label smoothing."""

import numpy as np
import pytest
import torch

from temperance import LabelSmoothing, MaxSup, Recipe
from temperance.records.errors import RecipeError
from temperance.testing.said import LABELS, LOGITS, MEMBERS, RIGHT, value


def test_equals_the_formula():
    z = LOGITS.numpy()
    wanted = np.mean(-np.log(RIGHT)) + 0.2 * np.mean(z.max(1) - z.mean(1))
    assert float(value(MaxSup(0.2), LOGITS, LABELS)) == pytest.approx(wanted, abs=1e-12)


def test_is_label_smoothing_exactly_where_the_net_is_right():
    """Label smoothing adds ε·(z_y − mean z) to the cross-entropy."""
    right = LOGITS.argmax(1)
    torch.testing.assert_close(value(MaxSup(0.1), LOGITS, right), value(LabelSmoothing(0.1), LOGITS, right))
    assert abs(float(value(MaxSup(0.1), LOGITS, LABELS) - value(LabelSmoothing(0.1), LOGITS, LABELS))) > 0.01


def test_a_hand_computed_case():
    """Logits (2, 0), label 1: CE = log(1 + e²) = 2.126928; the term is 0.5·(2 − 1)."""
    logits = torch.tensor([[2.0, 0.0]], dtype=torch.float64)
    assert float(value(MaxSup(0.5), logits, torch.tensor([1]))) == pytest.approx(2.626928, abs=1e-6)


def test_softening_twice_is_refused():
    with pytest.raises(RecipeError, match="softened twice"):
        Recipe(MaxSup(), LabelSmoothing())


def test_members_are_averaged():
    single = [value(MaxSup(0.2), MEMBERS[:, k], LABELS) for k in range(3)]
    torch.testing.assert_close(value(MaxSup(0.2), MEMBERS, LABELS), torch.stack(single).mean())


def test_a_regression_is_refused_by_name():
    with pytest.raises(RecipeError, match="MaxSup"):
        value(MaxSup(), LOGITS[:, :1], torch.zeros(10), loss=lambda z, y: z.squeeze(1) - y)
