"""Input-gradient penalty: against autograd row by row, weights of examples, a case by hand."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from temperance import Batch, InputGradientPenalty, Recipe


def _parts():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(5, 7), nn.Tanh(), nn.Linear(7, 4)).double()
    x, y = torch.randn(6, 5, dtype=torch.float64), torch.arange(6) % 4
    slopes = []
    for i in range(6):
        row = x[i : i + 1].clone().requires_grad_()
        (g,) = torch.autograd.grad(functional.cross_entropy(model(row), y[i : i + 1]), row)
        slopes.append(g.square().sum())
    return model, x, y, torch.stack(slopes)


def _attach(model, loss=functional.cross_entropy, weight=0.5):
    return Recipe(InputGradientPenalty(weight)).attach(model, torch.optim.SGD(model.parameters(), lr=0.1), loss=loss)


def test_it_is_the_mean_of_the_squared_slopes_of_single_rows():
    model, x, y, squares = _parts()
    plain = float(functional.cross_entropy(model(x), y).detach())
    assert float(_attach(model).loss((x, y)).detach()) == pytest.approx(plain + 0.5 * float(squares.mean()), abs=1e-10)


def test_examples_count_by_their_weight():
    model, x, y, squares = _parts()
    weight = torch.tensor([1.0, 0.0, 2.0, 1.0, 1.0, 3.0], dtype=torch.float64)
    loss = lambda out, t: functional.cross_entropy(out, t, reduction="none")  # noqa: E731
    plain = float(((loss(model(x), y) * weight).sum() / weight.sum()).detach())
    expected = plain + 0.5 * float((squares * weight).sum() / weight.sum())
    assert float(_attach(model, loss).loss(Batch(x, y, weight)).detach()) == pytest.approx(expected, abs=1e-10)


def test_a_linear_loss_by_hand():
    model = nn.Linear(2, 1, bias=False)
    with torch.no_grad():
        model.weight.copy_(torch.tensor([[3.0, 4.0]]))
    found = _attach(model, lambda out, _: out[:, 0], 0.1).loss((torch.zeros(4, 2), torch.zeros(4)))
    assert float(found.detach()) == pytest.approx(2.5)


def test_rows_that_are_left_out_do_not_count_in_the_penalty():
    model, x, y, squares = _parts()
    loss = lambda out, t: functional.cross_entropy(out, t, reduction="none")  # noqa: E731
    kept = torch.tensor([True, True, False, True, False, True])
    left = torch.where(kept, y, -100)
    plain = float(functional.cross_entropy(model(x), left).detach())
    for one in (functional.cross_entropy, loss):
        model = _parts()[0]
        found = float(_attach(model, one).loss((x, left)).detach())
        assert found == pytest.approx(plain + 0.5 * float(squares[kept].mean()), abs=1e-8)


def test_micro_batches_with_unequal_tokens_give_the_penalty_of_the_big_batch():
    def gradient(parts):
        torch.manual_seed(0)
        model = nn.Sequential(nn.Linear(5, 7), nn.Tanh(), nn.Linear(7, 4)).double()
        loss = lambda out, t: functional.cross_entropy(out.movedim(-1, 1), t)  # noqa: E731
        _attach(model, loss).step(parts)
        return torch.cat([p.grad.flatten() for p in model.parameters()])

    torch.manual_seed(1)
    x, y = torch.randn(4, 3, 5).double(), torch.randint(0, 4, (4, 3))
    y[0, 1:] = -100
    torch.testing.assert_close(gradient([(x[:1], y[:1]), (x[1:], y[1:])]), gradient((x, y)))
