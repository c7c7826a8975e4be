"""The learning rate over its maximum."""

import pytest
import torch
from torch import nn

from temperance import Recipe
from temperance.signals.lr import LearningRate


def test_ratio_follows_the_optimizer():
    model = nn.Linear(2, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.2)
    session = Recipe().attach(model, optimizer, loss=nn.functional.mse_loss)
    assert LearningRate().measure(session.probe())["lr"] == pytest.approx(1.0)
    optimizer.param_groups[0]["lr"] = 0.05
    assert LearningRate().measure(session.probe())["lr"] == pytest.approx(0.25)
