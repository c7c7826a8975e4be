"""Jacobian penalty: exact against autograd, unbiased by projections, what it buys."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from temperance import JacobianPenalty, Recipe
from temperance.records.errors import SettingError


def _sizes(projections: int, draws: int = 1) -> tuple[torch.Tensor, float]:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(5, 7), nn.Tanh(), nn.Linear(7, 4)).double()
    x = torch.randn(6, 5, dtype=torch.float64)
    full = torch.autograd.functional.jacobian(lambda v: model(v).sum(0), x)  # (4, 6, 5)
    session = Recipe(JacobianPenalty(0.5, projections)).attach(
        model, torch.optim.SGD(model.parameters(), lr=0.1), loss=functional.cross_entropy
    )
    plain = float(functional.cross_entropy(model(x), torch.arange(6) % 4).detach())
    found = []
    for draw in range(draws):
        session.steps = draw
        found.append((float(session.loss((x, torch.arange(6) % 4)).detach()) - plain) / 0.25)
    return torch.tensor(found), float(full.square().sum((0, 2)).mean())


def test_all_outputs_equal_the_jacobian_of_autograd():
    found, exact = _sizes(-1)
    assert float(found) == pytest.approx(exact, abs=1e-6)


def test_one_projection_is_right_on_average():
    found, exact = _sizes(1, 500)
    assert abs(float(found.mean()) - exact) < 3 * float(found.std()) / 500**0.5


def test_a_linear_net_by_hand():
    model = nn.Linear(2, 2, bias=False)
    with torch.no_grad():
        model.weight.copy_(torch.tensor([[1.0, 2.0], [3.0, 4.0]]))
    session = Recipe(JacobianPenalty(0.1, -1)).attach(
        model, torch.optim.SGD(model.parameters(), lr=0.1), loss=lambda out, y: (out * 0).sum(1)
    )
    assert float(session.loss((torch.zeros(3, 2), torch.zeros(3))).detach()) == pytest.approx(0.05 * 30)


def test_settings_out_of_range():
    with pytest.raises(SettingError, match="projections"):
        JacobianPenalty(projections=0)
