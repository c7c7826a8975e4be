"""Random colours: how often, which changes, and that everything else of an image stays."""

import numpy as np
import pytest
import torch

from temperance.core.kit.images import on_images
from temperance.core.random import uniform
from temperance.records.errors import RecipeError, SettingError
from temperance.regularizers.mixing.random_color import RandomColor, recolor


def test_the_formula_against_numpy() -> None:
    x = np.random.default_rng(0).normal(size=(20, 3, 4, 5))
    drawn = uniform(7, (20, 7), torch.device("cpu")).numpy()
    expected = x.copy()
    for i, row in enumerate(drawn):
        if row[0] >= 0.6:
            continue
        for c, source in enumerate(np.argsort(row[1:4])):
            channel = x[i, source]
            expected[i, c] = channel if row[4 + c] >= 0.5 else 2 * channel.mean() - channel
    out = recolor(torch.tensor(x), 0.6, 7).numpy()
    np.testing.assert_allclose(out, expected, atol=1e-12)
    assert (np.abs(expected - x).max((1, 2, 3)) > 0).sum() > 5  # the draw did change some


def test_a_grey_image_by_hand() -> None:
    x = torch.tensor([[[[0.0, 1.0, 5.0]]]])  # mean 2: dark for light gives 4, 3, −1
    found = {tuple(recolor(x, 1.0, key).flatten().tolist()) for key in range(20)}
    assert found == {(0.0, 1.0, 5.0), (4.0, 3.0, -1.0)}


def test_about_p_of_the_images_change_and_the_rest_stays_bit_for_bit() -> None:
    x = torch.randn(2000, 3, 3, 4)
    same = torch.tensor([torch.equal(a, b) for a, b in zip(recolor(x, 0.3, 5), x, strict=True)])
    assert float((~same).float().mean()) == pytest.approx(0.3 * (1 - 1 / 48), abs=0.04)  # 1 of 6 · 8 draws is no change
    assert torch.equal(recolor(x, 0.0, 1), x)


def test_the_means_of_an_image_stay() -> None:
    x = torch.randn(50, 3, 6, 6, dtype=torch.float64)
    before, after = (y.mean((2, 3)).sort(1).values for y in (x, recolor(x, 1.0, 3)))
    torch.testing.assert_close(before, after)


def test_tables_and_bad_settings_are_refused() -> None:
    with pytest.raises(RecipeError, match="RandomColor found no image"):
        on_images(torch.randn(4, 3), lambda x, _: recolor(x, 0.5, 1), "RandomColor")
    with pytest.raises(SettingError, match="p"):
        RandomColor(1.5)
