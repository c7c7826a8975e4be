"""TRADES: the loss against its formula, beta 0, notes."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from temperance import TRADES, Recipe
from temperance.records.errors import RecipeError, SettingError


def _run(one, x, y, loss=functional.cross_entropy):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 3)).double()
    start = [p.detach().clone() for p in model.parameters()]
    rows = []
    model.register_forward_pre_hook(lambda _, inputs: rows.append(inputs[0].detach().clone()))
    session = Recipe(*one).attach(model, torch.optim.SGD(model.parameters(), lr=0.1), loss=loss)
    passed = session.step((x, y))
    return model, start, rows, passed


X, Y = torch.randn(10, 4, generator=torch.Generator().manual_seed(3), dtype=torch.float64), torch.arange(10) % 3


def test_beta_zero_is_the_plain_loss_bit_for_bit():
    (one, _, _, first), (two, _, _, second) = _run([TRADES(beta=0.0)], X, Y), _run([], X, Y)
    assert torch.equal(first.loss.detach(), second.loss.detach())
    assert all(torch.equal(p, q) for p, q in zip(one.parameters(), two.parameters(), strict=True))


def test_the_loss_and_the_step_are_those_of_the_formula_at_the_inputs_found():
    model, start, rows, passed = _run([TRADES(beta=6.0, eps=0.2, steps=4)], X, Y)
    plain = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 3)).double()
    with torch.no_grad():
        for p, value in zip(plain.parameters(), start, strict=True):
            p.copy_(value)
    clean, there = plain(X), plain(rows[-1])
    apart = functional.kl_div(there.log_softmax(1), clean.softmax(1), reduction="batchmean")
    expected = functional.cross_entropy(clean, Y) + 6.0 * apart
    assert float(passed.loss.detach()) == pytest.approx(float(expected.detach()), abs=1e-12)
    expected.backward()
    for p, q in zip(model.parameters(), plain.parameters(), strict=True):
        assert torch.allclose(p, q - 0.1 * q.grad, atol=1e-12)
    assert float(passed.notes["trades.disagreement"]) > 1e-4


def test_regression_and_settings_are_refused():
    model = nn.Linear(4, 1)
    session = Recipe(TRADES()).attach(model, torch.optim.SGD(model.parameters(), lr=0.1), loss=lambda out, _: out.sum())
    with pytest.raises(RecipeError, match="two or more classes"):
        session.step((torch.randn(3, 4), torch.zeros(3)))
    with pytest.raises(SettingError, match="stride"):
        TRADES(stride=3.0)
