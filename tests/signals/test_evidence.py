"""The evidence criterion on linear regression, where everything is known."""

import math

import pytest
import torch
from torch import nn

from temperance import Recipe, StopAbove
from temperance.core.batch import Batch
from temperance.signals.evidence import Evidence, evidence


def attached(weights, batches, **setting):
    model = nn.Linear(2, 1, bias=False).double()
    model.weight.data = torch.tensor([weights], dtype=torch.float64)
    loss = lambda out, y: (out.squeeze(1) - y).square() / 2  # noqa: E731
    session = Recipe(controller=StopAbove()).attach(
        model, torch.optim.SGD(model.parameters(), lr=0.0), loss=loss, signals=[Evidence(**setting)]
    )
    for batch in batches:
        session.step(batch)
    return session


def regression(n, seed=0):
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(n, 2, generator=generator, dtype=torch.float64)
    return Batch(x, x @ torch.tensor([1.0, -1.0]).double() + torch.randn(n, generator=generator, dtype=torch.float64))


def test_equals_the_formula_on_the_gradients_of_single_rows():
    batches = [regression(20), regression(12, 1)]
    session = attached([0.5, 0.2], batches)
    x, y = torch.cat([b.inputs for b in batches]), torch.cat([b.targets for b in batches])
    grads = (x @ torch.tensor([0.5, 0.2]).double() - y)[:, None] * x  # (b, D)
    expected = 1 - 32 * float((grads.mean(0) ** 2 / grads.var(0)).mean())
    assert session.validate([batches[0]])["evidence"] == pytest.approx(expected, rel=1e-9)


def test_the_threshold_is_a_signal_to_noise_ratio_of_one():
    variance = torch.tensor([2.0, 8.0])
    at_one = (variance / 50).sqrt()  # b·G²/Var = 1 in every weight
    assert evidence(at_one, variance, 50) == pytest.approx(0.0, abs=1e-6)
    assert evidence(0.99 * at_one, variance, 50) > 0 > evidence(1.01 * at_one, variance, 50)
    assert math.isnan(evidence(torch.ones(2), torch.zeros(2), 50))
    assert evidence(torch.cat([at_one, torch.ones(1)]), torch.tensor([2.0, 8.0, 0.0]), 50) == pytest.approx(0, abs=1e-6)


def test_stops_at_the_solution_and_not_before():
    batch = regression(60)
    solution = torch.linalg.lstsq(batch.inputs, batch.targets).solution.tolist()
    far = attached([0.0, 0.0], [batch])
    assert far.validate([batch])["evidence"] < -1
    assert not far.stopped
    there = attached(solution, [batch])
    assert there.validate([batch])["evidence"] == pytest.approx(1.0)  # the gradient itself is zero there
    assert there.stopped


def test_no_more_rows_than_asked_for_are_used():
    batch = regression(60)
    session = attached([0.5, 0.2], [batch], rows=10)
    grads = (batch.inputs @ torch.tensor([0.5, 0.2]).double() - batch.targets)[:10, None] * batch.inputs[:10]
    expected = 1 - 10 * float((grads.mean(0) ** 2 / grads.var(0)).mean())
    assert session.validate([batch])["evidence"] == pytest.approx(expected, rel=1e-9)
