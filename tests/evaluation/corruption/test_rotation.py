import numpy as np

from temperance.evaluation.corruption.rotation import Rotation

GENERATOR = np.random.default_rng


def test_a_quarter_turn_is_exact():
    x = GENERATOR(0).random((20, 7, 7, 2)).astype(np.float32)
    turned = Rotation().paint(x, level=90.0, generator=GENERATOR(0))
    ways = [[np.allclose(turned[i], np.rot90(x[i], k), atol=1e-5) for k in (1, 3)] for i in range(20)]
    assert all(sum(way) == 1 for way in ways)
    assert len({way[0] for way in ways}) == 2


def test_no_turn_changes_nothing():
    x = GENERATOR(0).random((3, 6, 8, 1)).astype(np.float32)
    assert np.allclose(Rotation().paint(x, level=0.0, generator=GENERATOR(0)), x, atol=1e-6)
