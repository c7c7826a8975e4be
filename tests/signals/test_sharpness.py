"""The rise of the loss up the gradient."""

import math

import pytest
import torch
from torch import nn

from temperance import Recipe
from temperance.core.batch import Batch
from temperance.signals.sharpness import Sharpness


def quadratic(**setting):
    """loss = (3 w₁)²/2 + w₂²/2 at w = (1, 2)."""
    model = nn.Linear(2, 1, bias=False)
    model.weight.data = torch.tensor([[1.0, 2.0]])
    loss = lambda out, y: out.squeeze(1).square() / 2 * 2  # noqa: E731  (mean of two rows: half the sum)
    session = Recipe().attach(
        model, torch.optim.SGD(model.parameters(), lr=0.0), loss=loss, signals=[Sharpness(**setting)]
    )
    batch = Batch(torch.tensor([[3.0, 0.0], [0.0, 1.0]]), torch.zeros(2))
    session.step(batch)
    return session, session.validate([batch])


def energy(w1, w2):
    return (9 * w1**2 + w2**2) / 2


def test_a_quadratic_by_hand():
    session, got = quadratic(rho=0.1)
    norm = math.hypot(9, 2)  # the gradient is (9, 2)
    expected = energy(1 + 0.9 / norm, 2 + 0.2 / norm) - energy(1, 2)
    assert got["sharpness"] == pytest.approx(expected, rel=1e-4)
    assert session.model.weight.tolist() == [[1.0, 2.0]]


def test_the_adaptive_climb_by_hand():
    norm = math.hypot(9, 4)  # w·g = (9, 4), w²·g = (9, 8)
    expected = energy(1 + 0.9 / norm, 2 + 0.8 / norm) - energy(1, 2)
    assert quadratic(rho=0.1, adaptive=True)[1]["sharpness"] == pytest.approx(expected, rel=1e-4)


def test_the_adaptive_one_does_not_see_a_rescaling_of_layers():
    def read(scale, adaptive):
        torch.manual_seed(0)
        model = nn.Sequential(nn.Linear(3, 5, bias=False), nn.ReLU(), nn.Linear(5, 1, bias=False)).double()
        with torch.no_grad():
            model[0].weight.mul_(scale)
            model[2].weight.div_(scale)
        loss = lambda out, y: (out.squeeze(1) - y).square()  # noqa: E731
        one = Sharpness(rho=0.01, adaptive=adaptive)
        session = Recipe().attach(model, torch.optim.SGD(model.parameters(), lr=0.0), loss=loss, signals=[one])
        batch = Batch(torch.randn(9, 3, generator=torch.Generator().manual_seed(1)).double(), torch.ones(9).double())
        session.step(batch)
        return session.validate([batch])["sharpness"]

    assert read(1.0, True) == pytest.approx(read(10.0, True), rel=1e-4)
    assert abs(read(1.0, False) / read(10.0, False) - 1) > 0.3


def test_without_batches_nothing_is_known(probe):
    assert math.isnan(Sharpness().measure(probe())["sharpness"])
