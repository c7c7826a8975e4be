"""Jacobian penalty: exact against autograd, unbiased by projections, what it buys."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from temperance import JacobianPenalty, Recipe
from temperance.records.errors import SettingError
from temperance.regularizers.smoothness import jacobian_penalty


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


# What the authors' own module gives (github.com/facebookresearch/jacobian_regularizer at 32bb044, JacobianReg.forward
# and .backward() in float64) for the net, the rows and, with one projection, the directions given below:
# (1/2) tr ‖J‖² and its gradient by the first weight matrix.
ALL_OUTPUTS = 3.354024756389748, [
    0.64494374409, 0.677673893788, 0.0873537907905, -0.761978347306, -0.963008991335, -0.278653609874,
    0.931569423098, 1.41277545411, 0.595082247963, -0.523277168532, -1.11354389051, -0.680023494921,
]  # fmt: skip
ONE_DIRECTION = 4.748873296656197, [
    0.363002660951, 0.939797934234, 0.652547320883, -0.525087298966, -1.51200633281, -1.10879371724,
    1.64697883239, 2.02214894528, 0.538164643498, -1.26319051421, -1.48806793067, -0.344822554251,
]  # fmt: skip


def _authors(projections: int) -> tuple[float, list[float]]:
    model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2)).double()
    with torch.no_grad():
        for k, p in enumerate(model.parameters(), 1):
            p.copy_(torch.sin(torch.arange(1, p.numel() + 1, dtype=torch.float64) * k).reshape(p.shape))
    session = Recipe(JacobianPenalty(1.0, projections)).attach(
        model, torch.optim.SGD(model.parameters(), lr=0.1), loss=lambda out, y: (out * 0).sum(1)
    )
    rows = torch.cos(torch.arange(1, 16, dtype=torch.float64)).reshape(5, 3)
    loss = session.loss((rows, torch.zeros(5)))
    loss.backward()
    return float(loss.detach()), model[0].weight.grad.flatten().tolist()


def test_all_outputs_equal_the_authors_code():
    value, slopes = _authors(-1)
    assert value == pytest.approx(ALL_OUTPUTS[0], abs=1e-8)
    assert slopes == pytest.approx(ALL_OUTPUTS[1], abs=1e-8)


def test_one_direction_equals_the_authors_code(monkeypatch):
    ways = torch.sin(torch.arange(1, 11, dtype=torch.float64) * 7).reshape(5, 2)
    ways = ways / ways.norm(dim=1, keepdim=True)
    monkeypatch.setattr(jacobian_penalty, "_direction", lambda key, outputs, count: ways)
    value, slopes = _authors(1)
    assert value == pytest.approx(ONE_DIRECTION[0], abs=1e-8)
    assert slopes == pytest.approx(ONE_DIRECTION[1], abs=1e-8)


def test_settings_out_of_range():
    with pytest.raises(SettingError, match="projections"):
        JacobianPenalty(projections=0)


@pytest.mark.parametrize("tokens", [False, True])
@pytest.mark.parametrize("projections", [1, -1])
def test_what_is_left_out_is_not_held_still(tokens, projections):
    """What stands in rows and tokens of −100 must not matter."""
    torch.manual_seed(1)
    shape = (6, 3) if tokens else (6,)
    x, y = torch.randn(*shape, 5), torch.randint(0, 4, shape)
    y[2:4] = -100
    other = torch.where((y == -100).unsqueeze(-1), 3 * torch.randn_like(x), x)

    def gradient(inputs):
        torch.manual_seed(0)
        model = nn.Sequential(nn.Linear(5, 7), nn.Tanh(), nn.Linear(7, 4))
        loss = lambda out, t: functional.cross_entropy(out.movedim(-1, 1), t)  # noqa: E731
        session = Recipe(JacobianPenalty(0.5, projections=projections)).attach(
            model, torch.optim.SGD(model.parameters(), lr=0.1), loss=loss
        )
        session.step((inputs, y))
        return torch.cat([p.grad.flatten() for p in model.parameters()])

    torch.testing.assert_close(gradient(other), gradient(x))
    assert not torch.allclose(gradient(torch.where((y == -100).unsqueeze(-1), x, other + 1)), gradient(x))
