"""The norm over all weights."""

import pytest
import torch
from torch import nn

from temperance import Recipe
from temperance.signals.weight_norm import WeightNorm


def test_norm_of_all_weights():
    model = nn.Linear(2, 1)
    with torch.no_grad():
        model.weight.copy_(torch.tensor([[2.0, 3.0]]))
        model.bias.copy_(torch.tensor([6.0]))
    session = Recipe().attach(model, torch.optim.SGD(model.parameters(), lr=0.1), loss=nn.functional.mse_loss)
    assert WeightNorm().measure(session.probe())["weight_norm"] == pytest.approx(7.0)
