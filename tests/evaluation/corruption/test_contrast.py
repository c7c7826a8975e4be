import numpy as np

from temperance.evaluation.corruption.contrast import Contrast

GENERATOR = np.random.default_rng


def test_mean_stays_and_spread_shrinks():
    x = GENERATOR(0).random((3, 9, 9, 2)).astype(np.float32)
    pale = Contrast().paint(x, level=0.4, generator=GENERATOR(0))
    assert np.allclose(pale.mean(axis=(1, 2)), x.mean(axis=(1, 2)), atol=1e-6)
    assert np.allclose(pale.std(axis=(1, 2)), 0.4 * x.std(axis=(1, 2)), rtol=1e-4)
