"""DropBlock: γ with the feature-size correction, squares, share that is kept."""

import numpy as np
import pytest
import torch
from torch import nn

from temperance import Recipe
from temperance.core.random import pulse, running, site_uniform
from temperance.records.errors import RecipeError, SettingError
from temperance.regularizers.units.dropblock import (
    DropBlock,
    _kept_by_place,
    _kept_by_pooling,
    drop_blocks,
    rate_of_corners,
)


def test_the_rate_of_corners_by_hand() -> None:
    # p 0.1, s 7, F 14: 0.1/49 · 196/64
    rate = rate_of_corners(torch.tensor(0.1, dtype=torch.float64), (7, 7), (14, 14))
    assert float(rate) == pytest.approx(0.1 / 49 * 196 / 64, abs=1e-15)


def test_squares_against_a_plain_loop() -> None:
    x, p, size = torch.ones(2, 3, 8, 6), torch.tensor(0.2), 3
    with pulse(4):
        out = drop_blocks(x, p, size, "site").numpy()
    with pulse(4):
        corners = (site_uniform("site", x, (2, 3, 6, 4)) < rate_of_corners(p, (3, 3), (8, 6))).numpy()
    kept = np.ones(x.shape)
    for b, c, i, j in zip(*np.nonzero(corners), strict=True):
        kept[b, c, i : i + size, j : j + size] = 0
    assert 0 < kept.mean() < 1
    np.testing.assert_allclose(out, kept * kept.size / kept.sum(), rtol=1e-6)
    assert running() is None


def test_a_block_of_one_is_dropout() -> None:
    x = torch.ones(20, 10, 32, 32)
    with pulse(1):
        out = drop_blocks(x, torch.tensor(0.3), 1, "site")
    assert float((out != 0).float().mean()) == pytest.approx(0.7, abs=0.01)
    assert float(out.mean()) == pytest.approx(1.0, abs=1e-3)


def test_the_correction_keeps_about_one_minus_p() -> None:
    # small p, so squares hardly overlap; without the factor 196/64 only a third would be dropped
    x = torch.ones(64, 64, 14, 14)
    with pulse(2):
        out = drop_blocks(x, torch.tensor(0.02), 7, "site")
    assert float((out == 0).float().mean()) == pytest.approx(0.02, abs=0.002)


def test_p_zero_is_the_identity_and_all_dropped_is_finite() -> None:
    x = torch.randn(2, 2, 4, 4)
    with pulse(2):
        assert torch.equal(drop_blocks(x, torch.tensor(0.0), 3, "site"), x)
        assert bool(torch.isfinite(drop_blocks(x, torch.tensor(1.0), 9, "site")).all())


def test_places_and_settings_are_checked() -> None:
    with pytest.raises(RecipeError, match=r"no nn\.Conv2d"):
        _attach(DropBlock(), nn.Sequential(nn.Linear(3, 2), nn.ReLU()))
    with pytest.raises(SettingError, match="size"):
        DropBlock(size=0)
    session = _attach(DropBlock(at="0"), nn.Sequential(nn.Linear(3, 2), nn.ReLU()))
    with pytest.raises(RecipeError, match="feature maps"):
        session.step((torch.randn(4, 3), torch.randn(4, 2)))


def _attach(one: DropBlock, model: nn.Module):
    return Recipe(one).attach(model, torch.optim.SGD(model.parameters(), lr=0.1), loss=nn.MSELoss())


def test_both_ways_to_make_squares_are_equal() -> None:
    corners = torch.rand(3, 2, 4, 5, generator=torch.Generator().manual_seed(0)) < 0.2
    assert torch.equal(_kept_by_place(corners, (3, 2)), _kept_by_pooling(corners, (3, 2)))


class Spectrogram(nn.Module):
    """A convolution whose activations are sequences, as in speech models: no feature map stands behind any of them."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.act, self.head = nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Linear(4, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.act(self.conv(x).flatten(2)).mean(-1))


def test_a_net_without_feature_maps_is_refused_in_its_first_pass_and_left_as_it_was() -> None:
    model, loss = Spectrogram(), nn.functional.cross_entropy
    batch = (torch.randn(2, 1, 6, 6), torch.tensor([0, 1]))
    session = Recipe(DropBlock(0.2)).attach(model, torch.optim.SGD(model.parameters(), lr=0.1), loss=loss)
    with pytest.raises(RecipeError, match=r"DropBlock saw no feature map.*of Spectrogram"):
        session.step(batch)
    model.eval()(batch[0])  # nothing acts at inference, so nothing is asked
    session.finish()
    assert not [m for m in model.modules() if m._forward_hooks]
