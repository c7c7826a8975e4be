"""TrivialAugment: every operation is drawn equally often, one per image."""

import numpy as np
import pytest
import torch

from temperance.core.kit.images import on_images
from temperance.core.random import uniform
from temperance.records.errors import RecipeError
from temperance.regularizers.mixing.trivial_augment import NARROW, OPS, WIDE, augment


def test_fourteen_operations_equally_often() -> None:
    assert len(OPS) == len(set(OPS)) == 14
    drawn = (uniform(3, (4, 14_000), torch.device("cpu"))[0] * len(OPS)).to(torch.int64).numpy()
    counts = np.bincount(drawn, minlength=14)
    assert counts.size == 14
    assert abs(counts - 1000).max() < 150


@pytest.mark.parametrize("reach", [WIDE, NARROW])
@pytest.mark.parametrize("channels", [1, 3])
def test_images_stay_finite_and_about_one_in_fourteen_stays_as_it_is(reach, channels: int) -> None:
    x = torch.rand(700, channels, 6, 6, generator=torch.Generator().manual_seed(0))
    out = augment(x, 1.0, reach, 3)
    same = (out == x).flatten(1).all(1).float().mean()
    assert bool(torch.isfinite(out).all())
    assert out.shape == x.shape
    assert 0.03 < float(same) < 0.25
    assert float(out.min()) >= -1e-6
    assert float(out.max()) <= 1 + 1e-6


def test_p_is_the_share_that_changes() -> None:
    x = torch.rand(700, 1, 6, 6, generator=torch.Generator().manual_seed(0))
    changed = [(augment(x, p, WIDE, 3) != x).flatten(1).any(1) for p in (0.0, 0.3, 1.0)]
    assert not bool(changed[0].any())
    assert float(changed[1].float().mean()) == pytest.approx(0.3 * float(changed[2].float().mean()), abs=0.05)


def test_tables_are_refused() -> None:
    with pytest.raises(RecipeError, match="TrivialAugment found no image"):
        on_images(torch.randn(4, 3), lambda x, _: augment(x, 1.0, WIDE, 1), "TrivialAugment")
