"""The losses of the training rows."""

import math

import pytest
import torch
from torch import nn

from temperance import Recipe
from temperance.core.batch import Batch
from temperance.signals.difficulty import Difficulty, per_row


def attached(loss):
    model = nn.Linear(1, 1, bias=False)
    model.weight.data.fill_(1.0)
    return Recipe().attach(model, torch.optim.SGD(model.parameters(), lr=0.0), loss=loss, signals=[Difficulty()])


def test_percentiles_and_the_latest_loss_of_each_row():
    session = attached(lambda out, y: (out.squeeze(1) - y).abs())
    values = torch.arange(10.0)
    for start in (0, 5):
        index = torch.arange(start, start + 5)
        session.step(Batch(values[index].unsqueeze(1), torch.zeros(5), index=index))
    session.step(Batch(torch.tensor([[100.0]]), torch.zeros(1), index=torch.tensor([2])))
    got = session.validate([(torch.ones(1, 1), torch.ones(1))])
    assert per_row(session).tolist() == [0.0, 1.0, 100.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0]
    assert got["difficulty_p50"] == pytest.approx(5.5)
    assert got["difficulty_p10"] == pytest.approx(0.9)
    assert got["difficulty_share"] == pytest.approx(0.1)


def test_a_loss_of_one_number_says_nothing_about_rows():
    session = attached(lambda out, y: (out.squeeze(1) - y).abs().mean())
    session.step(Batch(torch.ones(3, 1), torch.zeros(3), index=torch.arange(3)))
    assert math.isnan(session.validate([(torch.ones(1, 1), torch.ones(1))])["difficulty_p50"])
