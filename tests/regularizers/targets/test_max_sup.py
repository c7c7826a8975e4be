"""MaxSup against its formula and against label smoothing."""

import numpy as np
import pytest
import torch
from torch import nn

from temperance import Batch, LabelSmoothing, MaxSup, Recipe
from temperance.models.loss import cross_entropy
from temperance.records.errors import RecipeError

LOGITS = torch.sin(torch.arange(40, dtype=torch.float64) * 2.3).reshape(10, 4) * 3
LABELS = torch.arange(10) % 4
MEMBERS = torch.sin(torch.arange(120, dtype=torch.float64) * 1.3).reshape(10, 3, 4) * 3
PROBABILITIES = torch.softmax(LOGITS, -1).numpy()
RIGHT = PROBABILITIES[np.arange(10), LABELS.numpy()]


class Say(nn.Module):
    """Gives its inputs back as logits, shifted by a parameter."""

    def __init__(self) -> None:
        super().__init__()
        self.shift = nn.Parameter(torch.zeros((), dtype=torch.float64))

    def forward(self, logits):
        return logits + self.shift


def attach(one, **settings):
    model = Say()
    loss = settings.pop("loss", cross_entropy)
    return Recipe(one).attach(model, torch.optim.SGD(model.parameters(), lr=0.0), loss=loss, **settings)


def value(one, logits, labels, weight=None, **settings):
    return attach(one, **settings).loss(Batch(logits, labels, weight, torch.arange(len(logits)))).detach()


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
