"""Distance between gradients of batches."""

import math

import pytest
import torch
from torch import nn

from temperance import Recipe, StopRising
from temperance.core.batch import Batch
from temperance.core.leaves import Leaves
from temperance.signals.gradient_disparity import GradientDisparity, disparity


def session_on(batches, **settings):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1))
    loss = lambda out, y: (out.squeeze(1) - y).square()  # noqa: E731
    optimizer = torch.optim.SGD(model.parameters(), lr=0.0)
    session = Recipe(controller=StopRising()).attach(model, optimizer, loss=loss, **settings)
    for batch in batches:
        session.step(batch)
    return session


def rows(seed):
    generator = torch.Generator().manual_seed(seed)
    return Batch(torch.randn(8, 3, generator=generator), torch.randn(8, generator=generator))


def test_identical_batches_disagree_by_nothing():
    got = session_on([rows(0)] * 4).validate([rows(1)])
    assert got["gradient_disparity"] == 0.0
    assert got["gradient_coherence"] == pytest.approx(1.0)


def test_equals_the_mean_distance_of_all_pairs():
    batches = [rows(i) for i in range(4)]
    session = session_on(batches, signals=[GradientDisparity(rescale=False)])
    got = session.validate([rows(9)])
    grads = []
    for batch in batches:
        loss = (session.model(batch.inputs).squeeze(1) - batch.targets).square().mean()
        parts = torch.autograd.grad(loss, list(session.model.parameters()))
        grads.append(torch.cat([p.flatten() for p in parts]).double())
    expected = torch.stack([(grads[i] - grads[j]).norm() for i in range(4) for j in range(i)]).mean()
    assert got["gradient_disparity"] == pytest.approx(float(expected), rel=1e-5)


def test_the_scale_of_the_loss_does_not_matter(probe):
    losses = torch.tensor([1.0, 2.0, 4.0])

    def read(scale):
        grads = iter([torch.tensor([3.0, 0.0]), torch.tensor([0.0, 4.0])])
        given = probe(
            train=(rows(0), rows(1)),
            gradient=lambda _: Leaves.of({"w": scale * next(grads)}, owned=True),
            losses=lambda *_: scale * losses,
        )
        return GradientDisparity().measure(given)["gradient_disparity"]

    assert read(1.0) == pytest.approx(5.0 / float(losses.std()))
    assert read(100.0) == pytest.approx(read(1.0))


def test_one_batch_is_not_enough_and_a_zero_gradient_has_no_direction(probe):
    assert math.isnan(GradientDisparity().measure(probe(train=(rows(0),)))["gradient_disparity"])
    zero, one = (Leaves.of({"w": torch.full((2,), v)}, owned=True) for v in (0.0, 3.0))
    got = disparity([zero, one])
    assert math.isnan(got["gradient_coherence"])
    assert got["gradient_disparity"] == pytest.approx(18**0.5)
