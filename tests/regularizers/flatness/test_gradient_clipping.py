"""Clipping against torch's own."""

import pytest
import torch
from torch import nn

from temperance import GradientClipping, Recipe
from temperance.records.errors import SettingError
from temperance.testing.problems import PROBLEMS
from temperance.testing.training import attach, train


@pytest.mark.parametrize("limit", [0.05, 1.0, 100.0])
def test_equals_clip_grad_norm_over_20_steps(limit):
    problem = PROBLEMS["transformer"]
    session = train(attach(Recipe(GradientClipping(limit)), problem), problem, range(20))
    model = problem.model().train()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    for number in range(20):
        batch = problem.batch(number)
        optimizer.zero_grad()
        problem.loss(model(batch.inputs), batch.targets).mean().backward()
        nn.utils.clip_grad_norm_(model.parameters(), limit)
        optimizer.step()
    for a, b in zip(session.model.parameters(), model.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-7)


def test_a_hand_computed_step():
    """Gradient (3, 4), limit 1: the step is lr·(0.6, 0.8)."""
    model = nn.Linear(2, 1, bias=False)
    model.weight.data.zero_()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    session = Recipe(GradientClipping(1.0)).attach(model, optimizer, loss=lambda out, y: out.squeeze(1))
    session.step((torch.tensor([[3.0, 4.0]]), torch.zeros(1)))
    torch.testing.assert_close(model.weight, torch.tensor([[-0.06, -0.08]]))


def test_a_gradient_of_zero_stays_zero():
    model = nn.Linear(2, 1, bias=False)
    start = model.weight.detach().clone()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    session = Recipe(GradientClipping(1.0)).attach(model, optimizer, loss=lambda out, y: out.squeeze(1) * 0)
    session.step((torch.ones(1, 2), torch.zeros(1)))
    assert torch.equal(model.weight, start)


def test_values_out_of_range_are_refused():
    with pytest.raises(SettingError, match="or be inf"):
        GradientClipping(0.0)
    assert GradientClipping(float("inf")).norm == float("inf")
