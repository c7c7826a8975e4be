"""The confidence penalty against its formula."""

import numpy as np
import pytest
import torch
from torch import nn

from temperance import Batch, ConfidencePenalty, Recipe
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
