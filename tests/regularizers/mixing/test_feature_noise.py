"""Gaussian noise on the inputs."""

import math

import numpy as np
import pytest
import torch
from scipy import stats

from temperance import FeatureNoise, Recipe
from temperance.core.random import fold, normal
from temperance.records.errors import RecipeError, SettingError
from temperance.regularizers.mixing.feature_noise import disturb
from temperance.testing.problems import PROBLEMS
from temperance.testing.training import attach


def test_noise_is_normal_with_the_wanted_size():
    x = torch.full((50_000,), 3.0)
    noise = (disturb(x, 0.7, 1) - x).numpy() / 0.7
    assert stats.kstest(noise, "norm").pvalue > 1e-3
    assert abs(noise.mean()) < 4 / math.sqrt(50_000)


def test_a_hand_computed_case():
    x = torch.tensor([1.0, -2.0])
    drawn = normal(fold(1, 0), (2,), x.device).numpy()
    np.testing.assert_allclose(disturb(x, 0.5, 1).numpy(), x.numpy() + 0.5 * drawn, rtol=1e-6)
    assert torch.equal(disturb(x, 0.0, 1), x)


def test_columns_have_their_own_noise_and_categories_stay():
    batch = PROBLEMS["embeddings"].batch(0)
    out = disturb({**batch.inputs, "more": batch.inputs["numeric"]}, 0.3, 1)
    assert torch.equal(out["categorical"], batch.inputs["categorical"])
    assert not torch.equal(out["numeric"], out["more"])


def test_for_small_noise_it_is_a_penalty_on_the_input_gradient():
    """E[(w(x + σε) − y)²] = (wx − y)² + σ²w²: Bishop's result, exact for a linear net and a square loss."""
    model = torch.nn.Linear(1, 1, bias=False)
    model.weight.data.fill_(2.0)
    loss = lambda out, y: (out.squeeze(1) - y).square()  # noqa: E731
    session = Recipe(FeatureNoise(0.1)).attach(model, torch.optim.SGD(model.parameters(), lr=0.0), loss=loss)
    n = 400_000
    got = session.loss((torch.ones(n, 1), torch.ones(n))).item()
    assert got == pytest.approx(1.0 + 0.01 * 4.0, abs=4 * 0.4 / math.sqrt(n))


def test_values_out_of_range_are_refused():
    with pytest.raises(SettingError, match="sigma=3"):
        FeatureNoise(3)


def test_it_is_silent_at_inference():
    problem = PROBLEMS["mlp"]
    session = attach(Recipe(FeatureNoise(1.0)), problem)
    assert [e.silent for e in session.proof(problem.batch(0))] == [True]


def test_codes_that_nothing_embeds_are_refused_by_name_and_beside_numbers_stay():
    class OneHot(torch.nn.Linear):
        def forward(self, ids):
            return super().forward(torch.nn.functional.one_hot(ids, 9).float().mean(1))

    model = OneHot(9, 2)
    session = Recipe(FeatureNoise(0.1)).attach(
        model, torch.optim.SGD(model.parameters(), lr=0.1), loss=torch.nn.functional.cross_entropy
    )
    with pytest.raises(RecipeError, match=r"FeatureNoise found no floating tensor.*leave FeatureNoise out"):
        session.step((torch.zeros(4, 3, dtype=torch.int64), torch.zeros(4, dtype=torch.int64)))
    codes, numbers = torch.arange(3), torch.ones(3)
    moved = disturb({"codes": codes, "numbers": numbers}, 0.5, 1)
    assert torch.equal(moved["codes"], codes)
    assert not torch.equal(moved["numbers"], numbers)
