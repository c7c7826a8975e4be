"""The L2 penalty against NumPy."""

import numpy as np
import pytest
import torch
from torch import nn

from temperance import L2, Recipe
from temperance.core.policy import matrices
from temperance.records.errors import SettingError
from temperance.testing.problems import PROBLEMS
from temperance.testing.training import attach

NET = PROBLEMS["embeddings"]


def test_the_loss_and_its_gradient_are_those_of_the_formula():
    session = attach(Recipe(L2(0.02)), NET, dtype=torch.float64)
    model, batch = session.model, NET.batch(0, torch.float64)
    names = matrices(model)
    weights = {name: model.get_parameter(name).detach().numpy().copy() for name in names}
    plain = NET.loss(model(**batch.inputs), batch.targets).mean()
    (base,) = torch.autograd.grad(plain, [model.get_parameter(names[0])])
    loss = session.loss(batch)
    expected = float(plain.detach()) + 0.01 * sum((w * w).sum() for w in weights.values())
    assert loss.item() == pytest.approx(expected, rel=1e-13)
    loss.backward()
    wanted = base.numpy() + 0.02 * weights[names[0]]
    np.testing.assert_allclose(model.get_parameter(names[0]).grad.numpy(), wanted, rtol=1e-12, atol=1e-15)


def test_equals_torchs_coupled_decay_under_sgd():
    ours, theirs = PROBLEMS["mlp"].model().train(), PROBLEMS["mlp"].model().train()
    session = Recipe(L2(0.1)).attach(ours, torch.optim.SGD(ours.parameters(), lr=0.05), loss=NET.loss)
    groups = [
        {"params": [p for p in theirs.parameters() if p.dim() > 1], "weight_decay": 0.1},
        {"params": [p for p in theirs.parameters() if p.dim() < 2]},
    ]
    reference = torch.optim.SGD(groups, lr=0.05)
    for number in range(30):
        batch = PROBLEMS["mlp"].batch(number)
        session.step(batch)
        reference.zero_grad()
        NET.loss(theirs(batch.inputs), batch.targets).mean().backward()
        reference.step()
    for a, b in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-6)


def test_a_hand_computed_step():
    model = nn.Linear(1, 1, bias=False)
    model.weight.data.fill_(2.0)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    session = Recipe(L2(0.5)).attach(model, optimizer, loss=lambda out, y: out.squeeze(1))
    passed = session.step((torch.ones(1, 1), torch.zeros(1)))
    assert passed.loss.item() == pytest.approx(2.0 + 0.25 * 4.0)
    assert model.weight.item() == pytest.approx(2.0 - 0.1 * (1.0 + 0.5 * 2.0))


def test_values_out_of_range_are_refused():
    with pytest.raises(SettingError, match="rate must lie between 1e-08 and 1"):
        L2(-1.0)


def test_beside_weight_decay_it_is_said_that_both_shrink_the_weights():
    from temperance import WeightDecay

    recipe = Recipe(L2(), WeightDecay())
    assert any("both shrink the weights" in warning for warning in recipe.warnings)
    assert "Note: L2 with WeightDecay" in recipe.explain()
