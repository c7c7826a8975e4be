"""DropConnect: weights are thinned while a layer runs, parameters stay."""

import pytest
import torch
from torch import nn

from temperance import Recipe
from temperance.core.random import pulse
from temperance.records.errors import RecipeError
from temperance.regularizers.units.dropconnect import DropConnect, thin


def test_share_of_weights_and_expectation() -> None:
    weight, p = torch.ones(400, 500), torch.tensor(0.3)
    with pulse(3):
        out = thin(weight, p, "site")
    assert float((out == 0).float().mean()) == pytest.approx(0.3, abs=0.01)
    assert torch.allclose(out[out != 0], torch.tensor(1 / 0.7))
    assert abs(float(out.mean()) - 1) < 4 * (0.3 / 0.7 / weight.numel()) ** 0.5


def test_the_layer_computes_with_the_thinned_weights() -> None:
    layer = nn.Linear(3, 2)
    model = nn.Sequential(layer)
    parameter = layer.weight
    session = _attach(DropConnect(0.5), model)
    x = torch.randn(4, 3)
    with pulse(9):
        out = model(x)
    with pulse(9):
        expected = x @ thin(parameter, torch.tensor(0.5), "dropconnect/0").T + layer.bias
    assert torch.allclose(out, expected, atol=1e-7)
    assert layer.weight is parameter
    session.finish()
    assert layer.weight is parameter


def test_a_fault_in_the_layer_leaves_the_parameter_visible() -> None:
    layer = nn.Linear(3, 2)
    session = _attach(DropConnect(0.5), nn.Sequential(layer))
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"), session.noise():
        layer(torch.randn(4, 7))
    assert isinstance(layer.weight, nn.Parameter)


def test_only_layers_with_weights_are_accepted() -> None:
    with pytest.raises(RecipeError, match="ReLU"):
        _attach(DropConnect(at="1"), nn.Sequential(nn.Linear(3, 2), nn.ReLU()))
    with pytest.raises(RecipeError, match="no linear layer"):
        _attach(DropConnect(), nn.Sequential(nn.Conv2d(1, 1, 3)))


def _attach(one: DropConnect, model: nn.Module):
    return Recipe(one).attach(model, torch.optim.SGD(model.parameters(), lr=0.1), loss=nn.MSELoss())
