"""The gap is measured on clean batches, in evaluation mode, at the served weights."""

import math

import pytest
import torch
from torch import nn

from temperance import EMA, Dropout, GapFeedback, Recipe
from temperance.core.batch import Batch
from temperance.signals.gap import Gap


def attached(recipe):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Linear(8, 1))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    loss = lambda out, y: (out.squeeze(-1) - y).square()  # noqa: E731
    return model, recipe.attach(model, optimizer, loss=loss, epochs=2, steps_per_epoch=3)


def rows(seed, n=20):
    generator = torch.Generator().manual_seed(seed)
    return Batch(torch.randn(n, 3, generator=generator), torch.randn(n, generator=generator))


def test_gap_is_the_difference_of_clean_losses_in_evaluation_mode():
    model, session = attached(Recipe(Dropout(0.5), controller=GapFeedback()))
    train, valid = rows(0), rows(1)
    session.step(train)
    got = session.validate([valid])
    model.eval()
    with torch.no_grad():
        one, two = [(model(b.inputs).squeeze(-1) - b.targets).square() for b in (valid, train)]
    assert got["gap"] == pytest.approx(float(one.double().mean() - two.double().mean()), rel=1e-6)
    assert got["gap_error"] == pytest.approx(math.hypot(float(one.std()), float(two.std())) / math.sqrt(20), rel=1e-5)


def test_gap_uses_the_served_weights():
    model, session = attached(Recipe(EMA(0.9), controller=GapFeedback()))
    train, valid = rows(0), rows(1)
    for _ in range(3):
        session.step(train)
    got = session.validate([valid])
    served = session.served
    with torch.no_grad():
        for name, p in model.named_parameters():
            p.copy_(served[name])
        loss = (model.eval()(valid.inputs).squeeze(-1) - valid.targets).square().mean()
    assert got["valid_loss"] == pytest.approx(float(loss), rel=1e-5)


def test_without_batches_nothing_is_known():
    _, session = attached(Recipe(controller=GapFeedback()))
    assert all(math.isnan(v) for v in Gap().measure(session.probe()).values())


def test_a_held_out_loss_of_the_users_own_has_no_error():
    _, session = attached(Recipe(Dropout(0.1, at="*1"), controller=GapFeedback()))
    session.step(rows(0))
    signals = session.validate(valid_loss=2.0)
    assert signals["gap"] == pytest.approx(2.0 - signals["train_loss"])
    assert "gap_error" not in signals or math.isnan(signals["gap_error"])
