"""R-Drop: the penalty, its independence of the batch size, one set of running statistics."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from temperance import Dropout, Recipe
from temperance.records.errors import RecipeError, SettingError
from temperance.regularizers.units.r_drop import RDrop, disagreement


def test_the_penalty_against_numpy_and_symmetry() -> None:
    one, two = np.random.default_rng(0).normal(size=(2, 6, 4))
    p, q = (np.exp(z) / np.exp(z).sum(1, keepdims=True) for z in (one, two))
    expected = ((p * np.log(p / q)).sum(1) + (q * np.log(q / p)).sum(1)) / 2
    got = disagreement(torch.tensor(one), torch.tensor(two))
    np.testing.assert_allclose(got.numpy(), expected, atol=1e-12)
    assert torch.equal(got, disagreement(torch.tensor(two), torch.tensor(one)))


def test_the_sum_over_the_batch_is_the_summed_kl_of_torch() -> None:
    one, two = torch.randn(2, 5, 3, dtype=torch.float64)
    logs = functional.log_softmax(one, -1), functional.log_softmax(two, -1)
    there = functional.kl_div(logs[0], logs[1].exp(), reduction="sum")
    back = functional.kl_div(logs[1], logs[0].exp(), reduction="sum")
    assert float(disagreement(one, two).sum()) == pytest.approx(float(there + back) / 2, abs=1e-12)


def test_a_batch_repeated_has_the_same_penalty() -> None:
    one, two = torch.randn(2, 5, 3)
    twice = disagreement(one.repeat(2, 1), two.repeat(2, 1)).mean()
    assert float(twice) == pytest.approx(float(disagreement(one, two).mean()), rel=1e-6)


def test_without_dropout_the_penalty_is_zero_and_the_loss_the_plain_one() -> None:
    plain, quiet = _loss(Recipe()), _loss(Recipe(RDrop(2.0, p=0)))
    assert torch.equal(quiet.loss.detach(), plain.loss.detach())
    assert float(quiet.notes["r_drop.disagreement"]) == 0.0


@pytest.mark.parametrize("recipe", [Recipe(RDrop(2.0, p=0.3)), Recipe(RDrop(2.0, p=0), Dropout(0.3))], ids=str)
def test_with_dropout_the_masks_differ_and_the_loss_is_mean_plus_penalty(recipe: Recipe) -> None:
    passed = _loss(recipe)
    apart = float(passed.notes["r_drop.disagreement"])
    assert apart > 0
    assert float(passed.loss.detach()) > 2.0 * apart


def test_running_statistics_move_once_per_step() -> None:
    model = nn.Sequential(nn.Linear(4, 6), nn.BatchNorm1d(6), nn.ReLU(), nn.Linear(6, 3))
    x = torch.randn(8, 4)
    once = nn.BatchNorm1d(6)
    once(model[0](x))
    session = Recipe(RDrop()).attach(model, torch.optim.SGD(model.parameters(), lr=0.1), loss=functional.cross_entropy)
    session.step((x, torch.zeros(8, dtype=torch.int64)))
    assert int(model[1].num_batches_tracked) == 1
    assert torch.allclose(model[1].running_mean, once.running_mean)
    assert model[1].momentum == 0.1
    assert model[1].track_running_stats


def test_regression_is_refused() -> None:
    model = nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 1))
    session = Recipe(RDrop()).attach(model, torch.optim.SGD(model.parameters(), lr=0.1), loss=nn.MSELoss())
    with pytest.raises(RecipeError, match="RDrop"):
        session.step((torch.randn(5, 4), torch.randn(5, 1)))
    with pytest.raises(SettingError, match="p="):
        RDrop(p=2.0)


def _loss(recipe: Recipe):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 3))
    generator = torch.Generator().manual_seed(1)
    batch = torch.randn(10, 4, generator=generator), torch.randint(0, 3, (10,), generator=generator)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    return recipe.attach(model, optimizer, loss=functional.cross_entropy).step(batch)
