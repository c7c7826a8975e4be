"""Transforms of image batches against plain NumPy, and cases by hand."""

import numpy as np
import pytest
import torch

from temperance.core.kit import images


def _rows(*values: float) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float64)


def test_the_identity_map_and_a_quarter_turn() -> None:
    x = torch.randn(2, 1, 5, 5, dtype=torch.float64)
    one, zero = _rows(1, 1), _rows(0, 0)
    assert torch.allclose(images.warp(x, images.affine(one, zero, zero, zero, one, zero)), x, atol=1e-12)
    turned = images.warp(x, images.affine(zero, -one, zero, one, zero, zero))
    assert torch.allclose(turned, torch.rot90(x, 1, (-2, -1)), atol=1e-12)


def test_a_map_in_pixels_is_a_shift_also_where_sides_differ() -> None:
    x = torch.randn(1, 2, 4, 7, dtype=torch.float64)
    one, zero = _rows(1), _rows(0)
    moved = images.warp(x, images.affine(one, zero, _rows(2), zero, one, _rows(-1)))
    assert torch.allclose(moved, images.shift(x, torch.tensor([1]), torch.tensor([-2])), atol=1e-12)


def test_posterize_and_solarize_by_hand() -> None:
    u = _rows(0, 100 / 255, 200 / 255, 1).reshape(1, 1, 2, 2)
    bits, threshold = _rows(1).reshape(1, 1, 1, 1), _rows(0.5).reshape(1, 1, 1, 1)
    assert (images.posterize(u, bits) * 255).flatten().tolist() == [0, 0, 128, 128]
    assert torch.allclose(images.solarize(u, threshold).flatten(), _rows(0, 100 / 255, 55 / 255, 0))


def test_autocontrast_stretches_and_flat_channels_stay() -> None:
    u = torch.tensor([[[[0.2, 0.4]], [[0.3, 0.3]]]])
    assert torch.allclose(images.autocontrast(u), torch.tensor([[[[0.0, 1.0]], [[0.3, 0.3]]]]))


def test_equalize_against_numpy_with_ties() -> None:
    u = np.array([0.1, 0.1, 0.5, 0.9, 0.9, 0.9])
    share = np.array([(u <= v).mean() for v in u])
    expected = (share - share.min()) / (1 - share.min())
    got = images.equalize(torch.tensor(u).reshape(1, 1, 2, 3)).flatten().numpy()
    np.testing.assert_allclose(got, expected, atol=1e-12)
    flat = torch.full((1, 1, 2, 2), 0.4)
    assert torch.equal(images.equalize(flat), flat)


def test_smooth_against_numpy() -> None:
    x = np.random.default_rng(0).normal(size=(4, 5))
    wide = np.pad(x, 1, mode="edge")
    kernel = np.array([[1, 1, 1], [1, 5, 1], [1, 1, 1]]) / 13
    expected = np.array([[(wide[i : i + 3, j : j + 3] * kernel).sum() for j in range(5)] for i in range(4)])
    np.testing.assert_allclose(images.smooth(torch.tensor(x)[None, None])[0, 0].numpy(), expected, atol=1e-12)


@pytest.mark.parametrize("name", [*images.GEOMETRIC, *images.PHOTOMETRIC])
def test_each_operation_changes_its_image_alone(name: str) -> None:
    x = torch.rand(3, 3, 6, 6, generator=torch.Generator().manual_seed(0)) * 0.7
    x[0, 0, 0, 0], x[0, 0, 0, 1] = 0.0, 1.0
    ops, reach = ("identity", name), images.Reach(0.3, 0.3, 30.0, 4.0, 0.9)
    which, sign = torch.tensor([0, 1, 0]), torch.ones(3)
    out = images.distort(x, ops, which, torch.full((3,), 0.8), sign, reach)
    assert torch.equal(out[0], x[0])
    assert torch.equal(out[2], x[2])
    assert not torch.allclose(out[1], x[1], atol=1e-3)


def test_grey_of_three_channels_is_luma() -> None:
    x = torch.eye(3).reshape(3, 3, 1, 1)
    assert images.gray(x).flatten().tolist() == pytest.approx([0.299, 0.587, 0.114])
    assert images.gray(torch.tensor([[[[1.0]], [[3.0]]]])).item() == 2.0


# -- masks beside images ----------------------------------------------------------------------------------------------
