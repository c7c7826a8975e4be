import numpy as np
import pytest

from temperance.evaluation.corruption.base import Reference
from temperance.evaluation.corruption.picture import sample
from temperance.evaluation.corruption.pixel_noise import PixelNoise
from temperance.records.schema import Rows, Schema, Target


@pytest.mark.parametrize(("side", "first"), [(8, 0.04), (32, 0.04), (64, 0.08), (224, 0.08)])
def test_small_pictures_get_smaller_damage(side, first):
    schema = Schema((), Target("y", "binary", ("a", "b")), "images", (side, side, 3))
    assert PixelNoise().levels(Reference(schema, np.zeros(0)))[0] == first


def test_sampling_at_whole_pixels_changes_nothing():
    x = np.random.default_rng(0).random((2, 5, 4, 3)).astype(np.float32)
    rows, columns = np.meshgrid(np.arange(5.0), np.arange(4.0), indexing="ij")
    assert np.array_equal(sample(x, rows, columns), x)
    half = sample(x, rows, columns + 0.5)
    assert np.allclose(half[:, :, 0], (x[:, :, 0] + x[:, :, 1]) / 2)
    assert np.array_equal(half[:, :, 3], x[:, :, 3])  # the edge is repeated


def test_rows_without_pictures_stay():
    schema = Schema((), Target("y", "binary", ("a", "b")))
    rows = Rows(np.zeros((2, 0)), np.zeros((2, 0), np.int32))
    generator = np.random.default_rng(0)
    assert PixelNoise().corrupt(rows, level=1.0, reference=Reference(schema, np.zeros(0)), generator=generator) is rows
