"""Cutout: one box per image, of the right size."""

import numpy as np
import pytest
import torch

from temperance.core.kit.images import on_images
from temperance.records.errors import RecipeError
from temperance.regularizers.mixing.cutout import blank


def test_one_box_per_image_and_its_largest_size() -> None:
    x = torch.ones(300, 2, 8, 10)
    out = blank(x, 0.5, 0.0, 4)
    assert torch.equal(out[:, 0], out[:, 1])
    tall, wide = set(), set()
    for image in out[:, 0].numpy():
        rows, columns = np.nonzero(image == 0)
        tall.add(np.ptp(rows) + 1)
        wide.add(np.ptp(columns) + 1)
        assert len(rows) == (np.ptp(rows) + 1) * (np.ptp(columns) + 1), "not a box"
    assert max(tall) == 4
    assert max(wide) == 5
    assert len({image.tobytes() for image in out.numpy()}) > 50


def test_size_zero_is_the_identity_and_fill_is_used() -> None:
    x = torch.randn(5, 1, 6, 6)
    assert torch.equal(blank(x, 0.0, 0.0, 1), x)
    assert bool((blank(x, 0.5, 9.0, 1) == 9.0).any())


def test_tables_are_refused() -> None:
    with pytest.raises(RecipeError, match="Cutout found no image"):
        on_images(torch.randn(4, 3), lambda x, _: blank(x, 0.5, 0.0, 1), "Cutout")
