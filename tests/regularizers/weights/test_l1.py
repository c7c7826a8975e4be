"""The L1 penalty against NumPy."""

import numpy as np
import pytest
import torch
from torch import nn

from temperance import L1, Recipe
from temperance.core.policy import matrices
from temperance.records.errors import SettingError
from temperance.testing.problems import PROBLEMS
from temperance.testing.training import attach

NET = PROBLEMS["embeddings"]


def test_the_loss_and_its_gradient_are_those_of_the_formula():
    session = attach(Recipe(L1(0.02)), NET, dtype=torch.float64)
    model, batch = session.model, NET.batch(0, torch.float64)
    names = matrices(model)
    weights = {name: model.get_parameter(name).detach().numpy().copy() for name in names}
    assert "embedding.weight" not in names
    plain = NET.loss(model(**batch.inputs), batch.targets).mean()
    (base,) = torch.autograd.grad(plain, [model.get_parameter(names[0])])
    loss = session.loss(batch)
    expected = float(plain.detach()) + 0.02 * sum(np.abs(w).sum() for w in weights.values())
    assert loss.item() == pytest.approx(expected, rel=1e-13)
    loss.backward()
    wanted = base.numpy() + 0.02 * np.sign(weights[names[0]])
    np.testing.assert_allclose(model.get_parameter(names[0]).grad.numpy(), wanted, rtol=1e-12, atol=1e-15)


def test_a_hand_computed_step():
    model = nn.Linear(2, 1, bias=False)
    model.weight.data = torch.tensor([[2.0, -3.0]])
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    session = Recipe(L1(0.5)).attach(model, optimizer, loss=lambda out, y: out.squeeze(1))
    passed = session.step((torch.tensor([[1.0, 1.0]]), torch.zeros(1)))
    assert passed.loss.item() == pytest.approx(-1.0 + 0.5 * 5.0)
    torch.testing.assert_close(model.weight, torch.tensor([[2.0 - 0.1 * 1.5, -3.0 - 0.1 * 0.5]]))


def test_values_out_of_range_are_refused():
    with pytest.raises(SettingError, match="rate must lie between 1e-08 and 1"):
        L1(2.0)
