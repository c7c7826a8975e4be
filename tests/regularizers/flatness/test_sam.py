"""SAM against two passes written by hand."""

import numpy as np
import pytest
import torch
from torch import nn

from temperance import SAM, Dropout, MixUp, Recipe
from temperance.records.errors import RecipeError, SettingError
from temperance.testing.problems import PROBLEMS
from temperance.testing.training import attach, train


def by_hand(problem, rho, steps, dtype):
    model = problem.model(dtype).train()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    params = list(model.parameters())
    for number in range(steps):
        batch = problem.batch(number, dtype)
        loss = problem.loss(model(batch.inputs), batch.targets).mean()
        grads = torch.autograd.grad(loss, params)
        norm = torch.sqrt(sum((g * g).sum() for g in grads))
        old = [p.detach().clone() for p in params]
        kept = {name: b.clone() for name, b in model.named_buffers()}
        for p, g in zip(params, grads, strict=True):
            p.data.add_(rho * g / (norm + 1e-12))
        optimizer.zero_grad()
        problem.loss(model(batch.inputs), batch.targets).mean().backward()
        for p, o in zip(params, old, strict=True):
            p.data.copy_(o)
        for name, b in model.named_buffers():
            b.copy_(kept[name])
        optimizer.step()
    return model


@pytest.mark.parametrize("name", ["mlp", "convnet", "transformer"])
def test_equals_two_passes_by_hand_over_ten_steps(name):
    problem = PROBLEMS[name]
    session = train(attach(Recipe(SAM(0.1)), problem, dtype=torch.float64), problem, range(10), torch.float64)
    hand = by_hand(problem, 0.1, 10, torch.float64)
    ours = session.model.state_dict()
    for key, value in hand.state_dict().items():
        torch.testing.assert_close(ours[key], value, rtol=1e-9, atol=1e-12)


def test_a_hand_computed_step():
    """L = w⁴/4 at w = 1: g = 1, e = ρ, step with (1 + ρ)³."""

    class Power(nn.Module):
        def __init__(self):
            super().__init__()
            self.w = nn.Parameter(torch.tensor([1.0], dtype=torch.float64))

        def forward(self, x):
            return x * self.w**4 / 4

    model = Power()
    session = Recipe(SAM(0.1)).attach(model, torch.optim.SGD(model.parameters(), lr=0.01), loss=lambda out, y: out)
    passed = session.step((torch.ones(1, dtype=torch.float64), torch.zeros(1)))
    assert model.w.item() == pytest.approx(1 - 0.01 * 1.1**3, rel=1e-12)
    assert passed.loss.item() == pytest.approx(0.25)


def test_both_passes_see_the_same_mask_and_the_same_mixture():
    problem = PROBLEMS["mlp"]
    session = attach(Recipe(SAM(0.1), Dropout(0.5), MixUp(1.0)), problem)
    seen, masks = [], []
    session.model.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].clone()))
    session.model[1].register_forward_hook(lambda _, __, out: masks.append(out == 0))
    session.step(problem.batch(0))
    assert torch.equal(seen[0], seen[1])
    assert torch.equal(masks[0] & masks[1], masks[0]) or (masks[0] != masks[1]).float().mean() < 0.1


def test_running_statistics_are_those_of_the_first_pass():
    problem = PROBLEMS["convnet"]
    climbed = train(attach(Recipe(SAM(2.0)), problem), problem, [0])
    plain = train(attach(Recipe(), problem), problem, [0])
    ours, theirs = dict(climbed.model.named_buffers()), dict(plain.model.named_buffers())
    for name in theirs:
        assert torch.equal(ours[name], theirs[name]), name


def test_it_acts_under_autocast():
    """A cast of the weights that is remembered would make the second pass a copy of the first."""
    problem = PROBLEMS["mlp"]
    ends = [
        train(attach(Recipe(SAM(rho)), problem, autocast=torch.bfloat16), problem, [0]).solo.home for rho in (0.0, 1.0)
    ]
    assert (
        max(float((a - b).detach().abs().max()) for a, b in zip(ends[0].tensors, ends[1].tensors, strict=True)) > 1e-3
    )


def test_the_weights_are_the_same_tensors_afterwards():
    problem = PROBLEMS["mlp"]
    session = attach(Recipe(SAM(0.1)), problem)
    before = [p.data_ptr() for p in session.model.parameters()]
    session.step(problem.batch(0))
    assert [p.data_ptr() for p in session.model.parameters()] == before


def test_it_finds_flatter_minima_than_plain_descent():
    """Two valleys: a sharp one at 0 and a wide one at 1; from near the sharp one, SAM leaves."""

    class Valleys(nn.Module):
        def __init__(self):
            super().__init__()
            self.w = nn.Parameter(torch.tensor([0.05], dtype=torch.float64))

        def forward(self, x):
            return x * (-torch.exp(-((self.w / 0.1) ** 2)) - 1.2 * torch.exp(-((self.w - 1.0) ** 2)))

    ends = []
    for recipe in (Recipe(), Recipe(SAM(0.5))):
        model = Valleys()
        session = recipe.attach(model, torch.optim.SGD(model.parameters(), lr=0.004), loss=lambda out, y: out)
        for _ in range(800):
            session.step((torch.ones(1, dtype=torch.float64), torch.zeros(1)))
        ends.append(model.w.item())
    assert abs(ends[0]) < 0.2
    assert ends[1] > 0.5


def test_wrong_uses_are_refused():
    with pytest.raises(SettingError, match="rho=3"):
        SAM(3)
    with pytest.raises(RecipeError, match="sam needs more than one backward pass"):
        attach(Recipe(SAM()), PROBLEMS["mlp"]).loss(PROBLEMS["mlp"].batch(0))
    assert np.isfinite(SAM().cost.backwards)
