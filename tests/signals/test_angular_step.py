"""Angle and relative size of one step."""

import math

import pytest
import torch
from torch import nn

from temperance import Recipe
from temperance.core.batch import Batch
from temperance.signals.angular_step import AngularStep, angle, relative


def test_a_right_angle_and_a_tiny_one():
    assert angle(torch.tensor([1.0, 0.0]), torch.tensor([0.0, 2.0])) == pytest.approx(math.pi / 2)
    tiny = torch.tensor([1.0, 1e-9], dtype=torch.float64)
    assert angle(torch.tensor([1.0, 0.0], dtype=torch.float64), tiny) == pytest.approx(1e-9, rel=1e-6)
    assert relative(torch.tensor([3.0, 4.0]), torch.tensor([3.0, 3.0])) == pytest.approx(0.2)
    assert math.isnan(angle(torch.zeros(2), torch.ones(2)))


@pytest.mark.parametrize("steps", [40, 2000])  # read at every step, and at every tenth
def test_reads_exactly_one_step_of_the_optimizer(steps):
    torch.manual_seed(0)
    model = nn.Linear(4, 3)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    loss = lambda out, y: (out - y).square().mean(1)  # noqa: E731
    session = Recipe().attach(model, optimizer, loss=loss, steps=steps, signals=[AngularStep()])
    for _ in range(20):
        before = model.weight.detach().clone()
        session.step(Batch(torch.randn(5, 4), torch.randn(5, 3)))
    a, b = before.flatten().double(), model.weight.detach().flatten().double()
    cosine = float(a @ b / a.norm() / b.norm())
    assert session.signals["angular_step"] == pytest.approx(math.acos(cosine), rel=1e-5)
    assert session.signals["relative_step/weight"] == pytest.approx(float((b - a).norm() / a.norm()), rel=1e-6)
    assert "angular_step/bias" not in session.signals
    assert session.signal_seconds["angular_step"] > 0


def test_without_the_step_before_nothing_is_known(probe):
    params = {"w": torch.ones(2, 2)}
    got = AngularStep().measure(probe(params=params, matrices=("w",), step=5, memory={"step": 3, "before": params}))
    assert all(math.isnan(v) for v in got.values())


def test_the_equilibrium_angle_of_decoupled_decay():
    # Kosson et al. 2024, table 1: SGDM angle sqrt(2·eta·lambda/(1+m)) on scale-invariant weights, random gradients
    torch.manual_seed(0)
    eta, decay = 0.5, 0.02
    w = torch.randn(4000, dtype=torch.float64)
    angles = []
    for t in range(1200):
        g = torch.randn_like(w)
        g = (g - (g @ w) / (w @ w) * w) / w.norm()
        new = (1 - eta * decay) * w - eta * g
        if t >= 1000:
            angles.append(angle(w, new))
        w = new
    assert sum(angles) / len(angles) == pytest.approx(math.sqrt(2 * eta * decay), rel=0.02)
