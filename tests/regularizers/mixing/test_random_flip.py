"""Random flips: how often, which axis."""

import pytest
import torch

from temperance.core.kit.images import on_images
from temperance.records.errors import RecipeError, SettingError
from temperance.regularizers.mixing.random_flip import RandomFlip, flip


@pytest.mark.parametrize("axis", [-1, -2])
def test_about_p_of_the_images_are_mirrored_and_the_rest_stays(axis: int) -> None:
    x = torch.randn(2000, 1, 3, 4)
    out = flip(x, 0.3, axis, 5)
    same, mirrored = (torch.tensor([torch.equal(a, b) for a, b in zip(out, y, strict=True)]) for y in (x, x.flip(axis)))
    assert bool((same ^ mirrored).all())
    assert float(mirrored.float().mean()) == pytest.approx(0.3, abs=0.04)


def test_p_zero_is_the_identity() -> None:
    x = torch.randn(4, 1, 3, 3)
    assert torch.equal(flip(x, 0.0, -1, 1), x)


def test_tables_and_other_axes_are_refused() -> None:
    with pytest.raises(RecipeError, match="RandomFlip found no image"):
        on_images(torch.randn(4, 3), lambda x, _: flip(x, 0.5, -1, 1), "RandomFlip")
    with pytest.raises(SettingError, match="axis"):
        RandomFlip(axis="diagonal")  # type: ignore[arg-type]
