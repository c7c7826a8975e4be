"""Stochastic depth: one draw per example, linear over depth."""

import math
from collections import OrderedDict

import pytest
import torch
from scipy import stats
from torch import nn

from temperance import Recipe, StochasticDepth
from temperance.core.random import pulse
from temperance.records.errors import RecipeError, SettingError
from temperance.regularizers.units.stochastic_depth import skip
from temperance.testing.problems import PROBLEMS, Residual
from temperance.testing.training import attach

P = torch.tensor(0.4, dtype=torch.float64)


def test_whole_examples_are_skipped_and_the_expectation_stays():
    with pulse(3):
        out = skip(torch.ones(20_000, 3, 2), P, "site")
    rows = out.flatten(1)
    assert bool((rows == rows[:, :1]).all())
    kept = int((rows[:, 0] > 0).sum())
    assert stats.binomtest(kept, 20_000, 0.6).pvalue > 1e-3
    assert abs(float(rows.mean()) - 1) < 4 * math.sqrt(0.4 / 0.6 / 20_000)


def test_the_chance_grows_linearly_with_depth():
    model = nn.Sequential(*(Residual(nn.Linear(2, 2, bias=False)) for _ in range(4)))
    for block in model:
        block.branch[0].weight.data = torch.eye(2)
    session = Recipe(StochasticDepth(0.8)).attach(
        model, torch.optim.SGD(model.parameters(), lr=0.1), loss=lambda o, y: o.sum(1)
    )
    seen = []
    for block in model:
        block.branch.register_forward_hook(lambda _, inputs, out: seen.append((out / inputs[0])[:, 0]))
    session.loss((torch.ones(20_000, 2), torch.zeros(20_000)))
    for depth, values in enumerate(seen, 1):
        chance = 0.8 * depth / 4
        assert stats.binomtest(int((values == 0).sum()), 20_000, chance).pvalue > 1e-3
        assert values[values > 0].unique().detach().numpy() == pytest.approx([1 / (1 - chance)] * 1, rel=1e-5)


def test_a_hand_computed_case():
    branch = torch.full((1000, 2), 3.0)
    with pulse(1):
        out = skip(branch, torch.tensor(0.5, dtype=torch.float64), "site")
        assert torch.equal(skip(branch, torch.tensor(0.0, dtype=torch.float64), "site"), branch)
    assert set(out.flatten().tolist()) == {0.0, 6.0}


def test_branches_by_pattern():
    session = attach(Recipe(StochasticDepth(0.5, at="blocks.*.branch")), PROBLEMS["transformer"])
    assert [len(b.branch._forward_hooks) for b in session.model.blocks] == [1, 1]


def test_wrong_uses_are_refused():
    plain = nn.Sequential(nn.Linear(2, 2), nn.ReLU())
    with pytest.raises(RecipeError, match="no residual branch"):
        Recipe(StochasticDepth()).attach(plain, torch.optim.SGD(plain.parameters(), lr=0.1), loss=lambda o, y: o)
    with pytest.raises(SettingError, match=r"p=-0\.1"):
        StochasticDepth(-0.1)


class DropPath(nn.Module):
    """As timm and transformers write it."""

    def __init__(self, drop_prob=0.3):
        super().__init__()
        self.drop_prob = drop_prob

    def forward(self, x):
        raise AssertionError("its own noise was drawn")


def test_drop_path_layers_are_taken_over_by_depth_and_given_back():
    layers = [DropPath(), nn.Identity(), DropPath(), nn.Identity()]
    names = ["a", "drop_path", "c", "other"]
    model = nn.Sequential(OrderedDict(zip(names, layers, strict=True)))
    model.add_module("head", nn.Linear(2, 2))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    session = Recipe(StochasticDepth(0.6)).attach(model, optimizer, loss=nn.functional.cross_entropy)
    assert [type(m) for m in model][:4] == [DropPath, nn.Identity, DropPath, nn.Identity]
    assert [round(model[i].drop_prob, 6) for i in (0, 2)] == [0.2, 0.6]
    session.set_strength("stochastic_depth.p", 0.3)
    assert [round(model[i].drop_prob, 6) for i in (0, 2)] == [0.1, 0.3]
    ones = torch.ones(4000, 2)
    with session.noise():
        shares = [float((m.train()(ones)[:, 0] == 0).float().mean()) for m in layers]
    assert shares == pytest.approx([0.1, 0.2, 0.3, 0.0], abs=0.03)
    assert all(torch.equal(m.eval()(ones), ones) for m in layers)
    session.finish()
    assert [m.drop_prob for m in layers[::2]] == [0.3, 0.3]
    assert not any("forward" in m.__dict__ for m in layers)


def test_a_whole_transformer_layer_is_refused_and_the_ends_of_its_branches_act():
    torch.manual_seed(0)
    layer = nn.TransformerEncoderLayer(8, 2, 16, dropout=0.0, batch_first=True, norm_first=True)
    model = nn.TransformerEncoder(layer, 3, enable_nested_tensor=False)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with pytest.raises(RecipeError, match=r"at='layers\.\*\.dropout\[12\]'"):
        Recipe(StochasticDepth(0.9, at="layers.*")).attach(model, optimizer, loss=lambda out, y: out.square().mean())
    session = Recipe(StochasticDepth(0.95, at="layers.*.dropout[12]")).attach(
        model, optimizer, loss=lambda out, y: out.square().mean()
    )
    x = torch.randn(32, 4, 8)
    with session.noise(), torch.no_grad():
        out = model.train()(x)
    assert bool((out.flatten(1).abs().amax(1) > 1e-3).all())  # the input is never lost
    session.finish()
