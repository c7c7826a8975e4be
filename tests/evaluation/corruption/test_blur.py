import numpy as np
from scipy.ndimage import gaussian_filter

from temperance.evaluation.corruption.blur import Blur

GENERATOR = np.random.default_rng


def test_matches_scipy():
    x = GENERATOR(0).random((2, 24, 20, 3)).astype(np.float32)
    ours = Blur().paint(x, level=1.0, generator=GENERATOR(0))
    theirs = gaussian_filter(x.astype(np.float64), (0, 1.0, 1.0, 0), mode="nearest", truncate=4.0)
    assert np.abs(ours - theirs).max() < 1e-5
