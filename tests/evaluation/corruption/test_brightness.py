import numpy as np

from temperance.evaluation.corruption.brightness import Brightness

GENERATOR = np.random.default_rng


def test_the_whole_picture_moves_by_one_amount():
    x = np.full((50, 4, 4, 1), 0.5, dtype=np.float32)
    moved = Brightness().paint(x, level=0.2, generator=GENERATOR(0)) - x
    assert np.allclose(np.abs(moved), 0.2)
    assert len(np.unique(np.sign(moved[:, 0, 0, 0]))) == 2
    assert np.ptp(moved, axis=(1, 2, 3)).max() == 0
