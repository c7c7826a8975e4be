"""What the session says about techniques that meet batch statistics, autocast and normalized weights."""

import torch
from torch import nn
from torch.nn import functional

from temperance import EMA, SAM, Recipe, WeightDecay
from temperance.core.circumstances import FACTS, RULES, scale_free
from temperance.core.regularizer import techniques


def _net(*, norm: bool) -> nn.Module:
    return nn.Sequential(nn.Linear(4, 5), nn.BatchNorm1d(5) if norm else nn.Identity(), nn.ReLU(), nn.Linear(5, 3))


def _warnings(recipe: Recipe, *, norm: bool, **settings) -> str:
    model = _net(norm=norm)
    session = recipe.attach(
        model, torch.optim.SGD(model.parameters(), lr=0.1), loss=functional.cross_entropy, **settings
    )
    assert all(f"Here: {note}" in session.explain() for note in session.warnings)
    return " ".join(session.warnings)


def test_weights_before_a_norm_are_found():
    assert scale_free(_net(norm=True)) == ("0.weight",)
    assert scale_free(_net(norm=False)) == ()


def test_each_is_told_where_it_holds_and_only_there():
    recipe = Recipe(WeightDecay(), EMA())
    told = _warnings(recipe, norm=True)
    assert "WeightDecay with normalized weights" in told
    assert "EMA with batch statistics" in told
    assert _warnings(recipe, norm=False) == ""
    assert "SAM with autocast" in _warnings(Recipe(SAM()), norm=False, autocast=torch.bfloat16)


def test_rules_name_what_exists():
    known = set(techniques) | {role for _, cls in techniques.items() for role in cls.roles}
    for rule in RULES:
        assert rule.where in FACTS
        assert rule.meets in known
        assert not rule.why.endswith(".")
