import numpy as np

from temperance.evaluation.corruption.pixelate import Pixelate

GENERATOR = np.random.default_rng


def test_blocks_hold_their_mean():
    x = GENERATOR(0).random((2, 8, 8, 1)).astype(np.float32)
    coarse = Pixelate().paint(x, level=0.5, generator=GENERATOR(0))
    assert np.allclose(coarse[:, :2, :2], x[:, :2, :2].mean(axis=(1, 2), keepdims=True))
    assert np.allclose(coarse.mean(), x.mean())


def test_a_picture_of_one_pixel_stays():
    x = np.full((1, 1, 1, 1), 0.3, dtype=np.float32)
    assert np.array_equal(Pixelate().paint(x, level=0.25, generator=GENERATOR(0)), x)
