import numpy as np

from temperance.evaluation.corruption.shift import Shift

GENERATOR = np.random.default_rng


def test_content_moves_by_the_stated_share():
    x = np.zeros((40, 10, 10, 1), dtype=np.float32)
    x[:, 5, 5] = 1.0
    moved = Shift().paint(x, level=0.2, generator=GENERATOR(0))
    places = {tuple(int(v) for v in np.argwhere(picture[..., 0] > 0.5)[0]) for picture in moved}
    assert places <= {(a, b) for a in (3, 5, 7) for b in (3, 5, 7)} - {(5, 5)}
    assert len(places) > 4
