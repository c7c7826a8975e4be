"""The plain mean of the last weights."""

import numpy as np
import pytest
import torch

from temperance import SWA, Recipe
from temperance.records.errors import RecipeError, SettingError
from temperance.testing.problems import PROBLEMS
from temperance.testing.training import attach

MLP = PROBLEMS["mlp"]


@pytest.mark.parametrize(("tail", "every", "chosen"), [(0.5, 1, range(6, 11)), (0.5, 2, (6, 8, 10)), (1.0, 5, (5, 10))])
def test_equals_the_arithmetic_mean_of_the_chosen_weights(tail, every, chosen):
    session = attach(Recipe(SWA(tail, every=every)), MLP, dtype=torch.float64, epochs=2, steps_per_epoch=5)
    past = {}
    for number in range(10):
        session.step(MLP.batch(number, torch.float64))
        past[number + 1] = dict(session.solo.home.clone())
    for name, served in session.served.items():
        expected = np.mean([past[t][name].numpy() for t in chosen], axis=0)
        np.testing.assert_allclose(served.numpy(), expected, rtol=1e-12, atol=1e-14)


def test_once_an_epoch_where_not_told():
    session = attach(Recipe(SWA(1.0)), MLP, dtype=torch.float64, epochs=2, steps_per_epoch=5)
    past = {}
    for number in range(10):
        session.step(MLP.batch(number, torch.float64))
        past[number + 1] = session.solo.home.clone()
    torch.testing.assert_close(session.served["0.weight"], (past[5]["0.weight"] + past[10]["0.weight"]) / 2)


def test_a_hand_computed_case_and_the_weights_before_the_tail():
    model = torch.nn.Linear(1, 1, bias=False)
    model.weight.data.fill_(0.0)
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    session = Recipe(SWA(0.5, every=1)).attach(model, optimizer, loss=lambda out, y: -out.squeeze(1), steps=6)
    seen = []
    for _ in range(6):  # w: 1 … 6
        session.step((torch.ones(1, 1), torch.zeros(1)))
        seen.append(session.served["weight"].item())
    assert seen == pytest.approx([1, 2, 3, 4, 4.5, 5])


def test_wrong_uses_are_refused():
    model = MLP.model()
    with pytest.raises(RecipeError, match="length is not known"):
        Recipe(SWA()).attach(model, torch.optim.SGD(model.parameters(), lr=0.1), loss=MLP.loss)
    with pytest.raises(SettingError, match=r"tail=1\.5"):
        SWA(1.5)
