"""Images as rows of numbers: area means as torch takes them, standardized, quiet pixels not blown up."""

import numpy as np
import pytest
import torch

from temperance.models.pixels import LEAST_SHARE, PixelMatrix, area_means, pixel_count
from temperance.records.errors import DataError
from temperance.records.schema import Rows


def rows_of(images):
    return Rows(np.empty((len(images), 0)), np.empty((len(images), 0), dtype=np.int32), images)


@pytest.mark.parametrize("shape", [(28, 28, 1), (37, 20, 3), (8, 40, 2), (5, 6, 1)])
def test_means_are_those_of_adaptive_average_pooling(shape):
    images = np.random.default_rng(0).integers(0, 256, (300, *shape)).astype(np.uint8)
    matrix = PixelMatrix.fit(images)
    raw = PixelMatrix(matrix.down, matrix.across, np.zeros(1), np.ones(1)).of(rows_of(images))
    assert raw.shape[1] == pixel_count(shape) == min(16, shape[0]) * min(16, shape[1]) * shape[2]
    pixels = torch.from_numpy(images).permute(0, 3, 1, 2).double()
    pooled = torch.nn.functional.adaptive_avg_pool2d(pixels, (min(16, shape[0]), min(16, shape[1])))
    np.testing.assert_allclose(raw, pooled.permute(0, 2, 3, 1).reshape(300, -1).numpy(), atol=1e-10)


def test_area_means_by_hand():
    np.testing.assert_allclose(area_means(3, 2), [[0.5, 0.5, 0.0], [0.0, 0.5, 0.5]])
    np.testing.assert_array_equal(area_means(4, 4), np.eye(4))


def test_training_images_are_standardized():
    images = np.random.default_rng(1).integers(0, 256, (400, 6, 5, 3)).astype(np.uint8)
    inputs = PixelMatrix.fit(images).of(rows_of(images))
    np.testing.assert_allclose(inputs.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(inputs.std(axis=0), 1)


def test_a_pixel_that_hardly_moves_is_not_blown_up():
    images = np.random.default_rng(2).integers(0, 256, (400, 2, 2, 1)).astype(np.uint8)
    images[:, 0, 0] = 0
    images[0, 0, 0] = 1  # a deviation of 0.05 grey levels
    strange = images[:1].copy()
    strange[0, 0, 0] = 255
    assert PixelMatrix.fit(images).of(rows_of(strange)).max() < 255 / (LEAST_SHARE * 70)


def test_equal_images_give_zeros():
    images = np.full((30, 20, 20, 1), 7, np.uint8)
    matrix = PixelMatrix.fit(images)
    assert not matrix.of(rows_of(images)).any()
    assert not matrix.of(rows_of(images + 9)).any()


def test_one_image_gives_the_same_bits_as_many():
    images = np.random.default_rng(3).integers(0, 256, (600, 28, 28, 3)).astype(np.uint8)
    matrix = PixelMatrix.fit(images)
    together = matrix.of(rows_of(images))
    alone = np.concatenate([matrix.of(rows_of(images[i : i + 1])) for i in (0, 255, 256, 599)])
    assert alone.tobytes() == together[[0, 255, 256, 599]].tobytes()


def test_rows_without_images_are_refused():
    matrix = PixelMatrix.fit(np.zeros((3, 4, 4, 1), np.uint8))
    with pytest.raises(DataError, match="without images"):
        matrix.of(Rows(np.zeros((2, 16)), np.empty((2, 0), dtype=np.int32)))
