"""Gaussian dropout: mean and variance of the noise, places, limits."""

import pytest
import torch
from torch import nn

from temperance import Dropout, Recipe
from temperance.core.random import pulse
from temperance.records.errors import RecipeError
from temperance.regularizers.units.gaussian_dropout import GaussianDropout, disturb


def test_mean_one_and_the_variance_of_dropout() -> None:
    p, x = torch.tensor(0.3, dtype=torch.float64), torch.ones(200_000)
    with pulse(5):
        out = disturb(x, p, "site").double()
    variance = 0.3 / 0.7
    assert abs(float(out.mean()) - 1) < 4 * (variance / x.numel()) ** 0.5
    assert float(out.var()) == pytest.approx(variance, rel=0.02)


def test_p_zero_is_the_identity_bit_for_bit() -> None:
    x = torch.randn(50, generator=torch.Generator().manual_seed(0))
    with pulse(1):
        assert torch.equal(disturb(x, torch.tensor(0.0), "site"), x)


def test_a_dropout_layer_is_replaced_and_comes_back() -> None:
    model = nn.Sequential(nn.Linear(4, 8), nn.Dropout(0.5), nn.Linear(8, 2))
    layer = model[1]
    session = Recipe(GaussianDropout(0.5)).attach(
        model, torch.optim.SGD(model.parameters(), lr=0.1), loss=nn.functional.cross_entropy
    )
    assert isinstance(model[1], nn.Dropout)
    assert model[1] is not layer
    session.step((torch.randn(6, 4), torch.zeros(6, dtype=torch.int64)))
    assert session.finish()[1] is layer  # type: ignore[index]


def test_no_place_is_an_error_and_two_noises_warn() -> None:
    model = nn.Linear(3, 2)
    with pytest.raises(RecipeError, match="GaussianDropout finds no dropout layer"):
        Recipe(GaussianDropout()).attach(model, torch.optim.SGD(model.parameters(), lr=0.1), loss=nn.MSELoss())
    assert any("same units" in line for line in Recipe(GaussianDropout(), Dropout()).warnings)
