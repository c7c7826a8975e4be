"""AWP moves each matrix by the same share of its size and leaves vectors alone."""

import pytest
import torch

from temperance import AWP, Recipe
from temperance.testing.problems import PROBLEMS
from temperance.testing.training import assert_close, attach, train

DOUBLE = torch.float64


def by_hand(problem, gamma, steps):
    model = problem.model(DOUBLE).train()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    params = list(model.parameters())
    for number in range(steps):
        batch = problem.batch(number, DOUBLE)
        grads = torch.autograd.grad(problem.loss(model(batch.inputs), batch.targets).mean(), params)
        old = [p.detach().clone() for p in params]
        for p, g in zip(params, grads, strict=True):
            if p.dim() > 1:
                p.data.add_(gamma * p.detach().norm() * g / g.norm())
        optimizer.zero_grad()
        problem.loss(model(batch.inputs), batch.targets).mean().backward()
        for p, o in zip(params, old, strict=True):
            p.data.copy_(o)
        optimizer.step()
    return dict(model.named_parameters())


@pytest.mark.parametrize("name", ["mlp", "transformer"])
def test_equals_two_passes_by_hand_over_ten_steps(name):
    problem = PROBLEMS[name]
    session = train(attach(Recipe(AWP(0.05)), problem, dtype=DOUBLE), problem, range(10), DOUBLE)
    assert_close(dict(session.solo.home), by_hand(problem, 0.05, 10), 1e-9, "weights")


def test_each_matrix_moves_by_gamma_of_its_norm_and_comes_back():
    problem = PROBLEMS["mlp"]
    session = attach(Recipe(AWP(0.05)), problem, dtype=DOUBLE)
    session.optimizer.param_groups[0]["lr"] = 0.0
    start = session.solo.home.clone(owned=True)
    seen = []
    session.model.register_forward_pre_hook(lambda *_: seen.append(session.solo.home.clone(owned=True)))
    train(session, problem, [0], DOUBLE)
    for name in start.names:
        moved = float((seen[1][name] - start[name]).norm())
        wanted = 0.05 * float(start[name].norm()) if start[name].dim() > 1 else 0.0
        assert moved == pytest.approx(wanted, rel=1e-9), name
        assert torch.equal(session.solo.home[name], start[name])
