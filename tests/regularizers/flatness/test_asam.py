"""ASAM against its formula; blind to how scale is spread over layers."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from temperance import ASAM, Recipe
from temperance.records.errors import RecipeError, SettingError


def uphill_loss(factor):
    model = nn.Sequential(nn.Linear(3, 4, bias=False), nn.ReLU(), nn.Linear(4, 2, bias=False)).double()
    with torch.no_grad():
        for i, p in enumerate(model.parameters()):
            p.copy_(torch.sin(torch.arange(p.numel(), dtype=torch.float64) + i).reshape(p.shape))
        model[0].weight.mul_(factor)
        model[2].weight.div_(factor)
    said = []
    model.register_forward_hook(lambda *parts: said.append(parts[2].detach()))
    x, y = torch.cos(torch.arange(15, dtype=torch.float64)).reshape(5, 3), torch.tensor([0, 1, 1, 0, 1])
    session = Recipe(ASAM(0.5, eta=0.0)).attach(
        model, torch.optim.SGD(model.parameters(), lr=0.1), loss=functional.cross_entropy
    )
    session.step((x, y))
    return functional.cross_entropy(said[0], y), functional.cross_entropy(said[1], y)


def test_the_loss_uphill_does_not_change_when_layers_are_rescaled():
    here, uphill = uphill_loss(1.0)
    again, uphill_again = uphill_loss(7.0)
    torch.testing.assert_close(here, again, rtol=1e-12, atol=0)
    torch.testing.assert_close(uphill, uphill_again, rtol=1e-10, atol=0)
    assert uphill > here


def test_a_model_without_weights_and_a_wrong_eta_are_refused():
    class Bare(nn.Module):
        def __init__(self):
            super().__init__()
            self.slope = nn.Parameter(torch.ones(2))

        def forward(self, x):
            return x * self.slope

    model = Bare()
    with pytest.raises(RecipeError, match="Use SAM"):
        Recipe(ASAM()).attach(model, torch.optim.SGD(model.parameters(), lr=0.1), loss=functional.cross_entropy)
    with pytest.raises(SettingError, match="eta"):
        ASAM(eta=2.0)
