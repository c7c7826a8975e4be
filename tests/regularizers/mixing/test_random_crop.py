"""Random crops against padding and cutting in NumPy."""

import numpy as np
import pytest
import torch

from temperance.core.kit.images import on_images, shift
from temperance.records.errors import RecipeError, SettingError
from temperance.regularizers.mixing.random_crop import RandomCrop, crop


@pytest.mark.parametrize(("border", "mode"), [("zeros", "constant"), ("edge", "edge")])
def test_a_shift_is_a_window_of_the_padded_image(border: str, mode: str) -> None:
    x = torch.randn(3, 2, 5, 6)
    down, right = torch.tensor([1, -2, 0]), torch.tensor([0, 2, -1])
    out = shift(x, down, right, border=border).numpy()
    padded = np.pad(x.numpy(), ((0, 0), (0, 0), (2, 2), (2, 2)), mode=mode)
    for i, (a, b) in enumerate(zip(down.tolist(), right.tolist(), strict=True)):
        np.testing.assert_array_equal(out[i], padded[i, :, 2 - a : 7 - a, 2 - b : 8 - b])


def test_all_windows_are_drawn_equally_often() -> None:
    x = torch.zeros(9000, 1, 8, 8)
    x[:, :, 4, 4] = 1
    places = np.argwhere(crop(x, 0.125, "zeros", 3)[:, 0].numpy() == 1)[:, 1:] - 4
    windows, counts = np.unique(places, axis=0, return_counts=True)
    assert windows.tolist() == [[i, j] for i in (-1, 0, 1) for j in (-1, 0, 1)]
    assert abs(counts - 1000).max() < 150


def test_margin_zero_is_the_identity() -> None:
    x = torch.randn(4, 1, 5, 5)
    assert torch.equal(crop(x, 0.0, "zeros", 1), x)


def test_tables_and_other_borders_are_refused() -> None:
    with pytest.raises(RecipeError, match="RandomCrop found no image"):
        on_images(torch.randn(4, 3), lambda x, _: crop(x, 0.5, "zeros", 1), "RandomCrop")
    with pytest.raises(SettingError, match="border"):
        RandomCrop(border="mirror")  # type: ignore[arg-type]
