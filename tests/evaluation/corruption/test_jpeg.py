import numpy as np
import pytest

from temperance.evaluation.corruption.jpeg import Jpeg

GENERATOR = np.random.default_rng


@pytest.mark.parametrize("channels", [1, 2, 3])
def test_quality_decides_the_damage(channels):
    x = GENERATOR(0).random((2, 16, 16, channels)).astype(np.float32)
    good, bad = (np.abs(Jpeg().paint(x, level=q, generator=GENERATOR(0)) - x).mean() for q in (95.0, 10.0))
    assert 0 < good < bad < 0.5
