"""Ghost batch normalization: group statistics, equality with BatchNorm at the batch's own size."""

import copy

import numpy as np
import pytest
import torch
from torch import nn

from temperance import Recipe
from temperance.records.errors import RecipeError, SettingError
from temperance.regularizers.units.ghost_batch_norm import GhostBatchNorm, ghost


def test_groups_against_numpy() -> None:
    x = np.random.default_rng(0).normal(size=(10, 3))
    weight, bias = np.array([1.0, 2.0, 0.5]), np.array([0.0, 1.0, -1.0])
    out = ghost(torch.tensor(x), 4, torch.tensor(weight), torch.tensor(bias), 1e-5).numpy()
    parts = [x[:4], x[4:7], x[7:]]  # ceil(10 / 4) = 3 groups of nearly equal size
    expected = [(g - g.mean(0)) / np.sqrt(g.var(0) + 1e-5) * weight + bias for g in parts]
    np.testing.assert_allclose(out, np.concatenate(expected), atol=1e-12)


@pytest.mark.parametrize(("size", "share"), [(16, 1.0), (4, 0.0)])
def test_virtual_batch_of_the_whole_batch_is_batchnorm(size: int, share: float) -> None:
    x = torch.randn(16, 5)
    plain, model = nn.BatchNorm1d(5), nn.Sequential(nn.BatchNorm1d(5))
    _attach(GhostBatchNorm(share, size=size), model)
    assert torch.equal(model(x), plain(x))
    assert torch.equal(model[0].running_var, plain.running_var)


def test_groups_differ_from_batchnorm_and_inference_does_not() -> None:
    x = torch.randn(16, 5)
    plain, model = nn.BatchNorm1d(5), nn.Sequential(nn.BatchNorm1d(5))
    _attach(GhostBatchNorm(size=4), model)
    assert float((model(x) - plain(x)).detach().abs().max()) > 0.1
    assert torch.equal(model.eval()(x), plain.eval()(x))


def test_no_batchnorm_is_an_error() -> None:
    with pytest.raises(RecipeError, match="no BatchNorm"):
        _attach(GhostBatchNorm(), nn.Sequential(nn.Linear(3, 2)))
    with pytest.raises(SettingError, match="size"):
        GhostBatchNorm(size=1)


def _attach(one: GhostBatchNorm, model: nn.Module):
    return Recipe(one).attach(model, torch.optim.SGD(model.parameters(), lr=0.1), loss=nn.MSELoss())


def test_statistics_that_serve_are_those_of_the_whole_batch_and_the_layer_comes_back() -> None:
    x = torch.randn(16, 5)
    plain, model = nn.BatchNorm1d(5), nn.Sequential(nn.BatchNorm1d(5))
    session = _attach(GhostBatchNorm(size=4), model)
    (twin,) = copy.deepcopy(model)
    session.step((x, torch.randn(16, 5)))
    plain(x)
    assert torch.equal(model[0].running_var, plain.running_var)
    assert int(model[0].num_batches_tracked) == 1
    assert int(twin.num_batches_tracked) == 0, "a copy must not run the original's layer"
    twin(x)
    assert torch.equal(twin.running_mean, plain.running_mean)
    session.finish()
    assert "forward" not in model[0].__dict__
