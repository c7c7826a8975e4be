"""Dropout: mask statistics, expectation, placement."""

import math

import numpy as np
import pytest
import torch
from scipy import stats
from torch import nn

from temperance import Dropout, Recipe
from temperance.core.kit.dropouts import DropoutSite, DropoutSite2d, drop
from temperance.core.random import fold, pulse, uniform
from temperance.records.errors import RecipeError, SettingError
from temperance.testing.problems import PROBLEMS
from temperance.testing.training import answer, attach

P = torch.tensor(0.3, dtype=torch.float64)


def dropped(x, p=P, key=1, **how):
    with pulse(key):
        return drop(x, p, "site", **how)


def test_the_mask_is_the_formula_on_the_uniform_numbers_of_its_key():
    x = torch.randn(50, 40, generator=torch.Generator().manual_seed(0))
    u = uniform(fold(1, "site", 0), x.shape, x.device).numpy().astype(np.float64)
    expected = x.numpy() * np.where(u < 0.7, 1 / 0.7, 0.0)
    np.testing.assert_allclose(dropped(x).numpy(), expected, rtol=1e-6)


def test_share_of_units_and_expectation():
    ones = torch.ones(400, 500)
    out = dropped(ones)
    n = out.numel()
    kept = int((out > 0).sum())
    assert stats.binomtest(kept, n, 0.7).pvalue > 1e-3
    assert out[out > 0].unique().numpy() == pytest.approx([1 / 0.7], rel=1e-6)
    assert abs(float(out.mean()) - 1) < 4 * math.sqrt(0.3 / 0.7 / n)


def test_units_fall_independently_and_another_key_gives_another_mask():
    a = (dropped(torch.ones(100_000), key=1) > 0).double()
    b = (dropped(torch.ones(100_000), key=2) > 0).double()
    neighbours = float(torch.corrcoef(torch.stack([a[:-1], a[1:]]))[0, 1])
    keys = float(torch.corrcoef(torch.stack([a, b]))[0, 1])
    assert abs(neighbours) < 4 / math.sqrt(1e5)
    assert abs(keys) < 4 / math.sqrt(1e5)


def test_whole_channels_fall_where_channels_are_dropped():
    out = dropped(torch.ones(20, 30, 4, 4), channels=True).flatten(2)
    assert bool((out == out[..., :1]).all())
    assert 0 < int((out[..., 0] == 0).sum()) < 600


def test_a_hand_computed_case():
    x = torch.tensor([2.0, 4.0])
    assert torch.equal(dropped(x, torch.tensor(0.0, dtype=torch.float64)), x)
    half = dropped(torch.full((1000,), 3.0), torch.tensor(0.5, dtype=torch.float64))
    assert set(half.tolist()) == {0.0, 6.0}


def test_each_call_of_a_shared_module_has_its_own_mask():
    class Shared(nn.Module):
        def __init__(self):
            super().__init__()
            self.act, self.seen = nn.ReLU(), []

        def forward(self, x):
            self.seen = [self.act(x), self.act(x)]
            return x @ torch.ones(x.shape[1], 3)

    model = Shared()
    model.w = nn.Linear(2, 2)
    session = Recipe(Dropout(0.5)).attach(model, torch.optim.SGD(model.parameters(), lr=0.1), loss=lambda out, y: out)
    session.loss((torch.ones(8, 8), torch.zeros(8)))
    assert not torch.equal(*model.seen)


def test_existing_dropout_layers_are_taken_over_and_given_back():
    model = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Dropout(0.4), nn.Linear(8, 3), nn.Dropout2d(0.2))
    layers = [model[2], model[4]]
    session = Recipe(Dropout(0.1)).attach(model, torch.optim.SGD(model.parameters(), lr=0.1), loss=lambda o, y: o)
    assert [type(model[i]) for i in (2, 4)] == [DropoutSite, DropoutSite2d]
    assert [model[i].channels for i in (2, 4)] == [False, True]
    session.finish()
    assert [model[2], model[4]] == layers


def test_places_by_pattern_only():
    session = attach(Recipe(Dropout(0.9, at="layers.0")), PROBLEMS["embeddings"])
    assert len(session.model.layers[0]._forward_hooks) == 1
    assert len(session.model.layers[1]._forward_hooks) == 0


def test_silent_in_evaluation_mode():
    problem = PROBLEMS["mlp"]
    session = attach(Recipe(Dropout(0.9)), problem)
    x = problem.batch(0).inputs
    assert torch.equal(answer(session.model, x), answer(session.model, x))


def test_wrong_uses_are_refused():
    linear = nn.Linear(2, 2)
    optimizer = torch.optim.SGD(linear.parameters(), lr=0.1)
    with pytest.raises(RecipeError, match="no dropout layer and no activation"):
        Recipe(Dropout(0.1)).attach(linear, optimizer, loss=lambda o, y: o)
    with pytest.raises(RecipeError, match="matches none"):
        attach(Recipe(Dropout(0.1, at="nowhere.*")), PROBLEMS["mlp"])
    with pytest.raises(SettingError, match=r"p=1\.0"):
        Dropout(1.0)
