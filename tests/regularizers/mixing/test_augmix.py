"""AugMix: the divergence, the blend, what is left out, one set of running statistics."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from temperance import Recipe
from temperance.records.errors import RecipeError, SettingError
from temperance.regularizers.mixing.augmix import ALL, SAFE, AugMix, blend, jensen_shannon


def test_the_divergence_against_numpy() -> None:
    logits = np.random.default_rng(0).normal(size=(3, 5, 4))
    p = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    middle = p.mean(0)
    expected = (p * np.log(p / middle)).sum(-1).mean(0)
    np.testing.assert_allclose(jensen_shannon(*torch.tensor(logits)).numpy(), expected, atol=1e-12)


def test_equal_answers_cost_nothing_and_three_sure_ones_log_three() -> None:
    same = torch.randn(4, 3)
    assert float(jensen_shannon(same, same, same).abs().max()) < 1e-6
    sure = 100 * torch.eye(3)[:, None]
    assert float(jensen_shannon(*sure)) == pytest.approx(np.log(3), abs=1e-6)


def test_maps_of_classes_keep_their_axis() -> None:
    maps = torch.randn(3, 2, 5, 4, 6)  # three views, (b, c, h, w)
    rows = maps.permute(0, 1, 3, 4, 2)[..., :]
    expected = jensen_shannon(*(view.reshape(-1, 5) for view in rows)).reshape(2, 4, 6)
    assert torch.allclose(jensen_shannon(*maps), expected, atol=1e-6)


def test_a_blend_stays_near_and_in_range() -> None:
    x = torch.rand(50, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    out = blend(x, SAFE, 3.0, 5)
    assert torch.equal(out, blend(x, SAFE, 3.0, 5))
    assert not torch.equal(out, x)
    assert float(out.min()) >= 0
    assert float(out.max()) <= 1 + 1e-6


def test_operations_that_evaluation_tests_are_left_out() -> None:
    assert set(ALL) - set(SAFE) == {"rotate", "translate_x", "translate_y"}
    assert not set(ALL) & {"brightness", "contrast", "color", "sharpness"}


def test_weight_zero_is_one_plain_pass_and_statistics_move_once() -> None:
    x, y = torch.rand(8, 1, 6, 6), torch.arange(8) % 3
    model = _net()
    loss = _attach(AugMix(0.0), model).loss((x, y))
    assert torch.equal(loss.detach(), functional.cross_entropy(_net()(x), y).detach())
    other = _net()
    passed = _attach(AugMix(), other).step((x, y))
    assert int(other[1].num_batches_tracked) == 1
    assert float(passed.notes["augmix.disagreement"]) > 0


def test_tables_regression_and_settings_are_refused() -> None:
    model = nn.Sequential(nn.Linear(3, 2))
    with pytest.raises(RecipeError, match="AugMix found no image"):
        _attach(AugMix(), model).step((torch.randn(4, 3), torch.zeros(4, dtype=torch.int64)))
    with pytest.raises(RecipeError, match="AugMix needs two or more classes"):
        jensen_shannon(torch.randn(4, 1), torch.randn(4, 1), torch.randn(4, 1))
    with pytest.raises(SettingError, match="severity"):
        AugMix(severity=0)


def _net() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(64, 3))


def _attach(one: AugMix, model: nn.Module):
    return Recipe(one).attach(model, torch.optim.SGD(model.parameters(), lr=0.1), loss=functional.cross_entropy)
