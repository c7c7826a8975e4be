import numpy as np

from temperance.evaluation.corruption.pixel_noise import PixelNoise

GENERATOR = np.random.default_rng


def test_size_of_the_grain():
    x = np.full((4, 20, 20, 3), 0.5, dtype=np.float32)
    damaged = PixelNoise().paint(x, level=0.1, generator=GENERATOR(0))
    assert abs((damaged - x).std() - 0.1) < 0.005
    assert damaged.dtype == np.float32
