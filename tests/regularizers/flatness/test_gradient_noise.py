"""The noise has the published size, falls as published, and comes from the seed."""

import pytest
import torch
from torch import nn

from temperance import GradientNoise, Recipe
from temperance.records.errors import SettingError


def noise_of(steps, seed=0, **settings):
    model = nn.Linear(100, 100, bias=False)
    session = Recipe(GradientNoise(**settings)).attach(
        model, torch.optim.SGD(model.parameters(), lr=0.0), loss=lambda out, y: out.sum(1) * 0, seed=seed
    )
    rows = []
    for _ in range(steps):
        session.step((torch.ones(2, 100), torch.zeros(2)))
        rows.append(model.weight.grad.clone())
    return rows


def test_the_size_follows_the_formula():
    rows = noise_of(5, std=0.3, decay=0.55)
    for t, noise in enumerate(rows):
        assert float(noise.std()) == pytest.approx(0.3 * (1 + t) ** (-0.55 / 2), rel=0.03)
        assert abs(float(noise.mean())) < 4 * 0.3 / 100


def test_steps_differ_and_the_seed_decides():
    one, again, other = noise_of(2), noise_of(2), noise_of(2, seed=1)
    assert torch.equal(one[0], again[0])
    assert not torch.equal(one[0], one[1])
    assert not torch.equal(one[0], other[0])


def test_a_wrong_decay_is_refused():
    with pytest.raises(SettingError, match="decay"):
        GradientNoise(decay=-1.0)
