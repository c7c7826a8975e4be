import math

import pytest

from temperance.core.kit.equilibrium import (
    decay_for,
    equilibrium_angle,
    equilibrium_norm,
    settling_steps,
    timescale_epochs,
)
from temperance.records.errors import SettingError


def test_timescale_and_decay_are_inverse():
    assert timescale_epochs(1e-3, decay_for(7.0, 1e-3, 50), 50) == pytest.approx(7.0, rel=1e-12)
    assert timescale_epochs(1e-3, 0.0, 50) == math.inf


def test_figures_by_hand():
    assert equilibrium_angle(1e-3, 1.0, 0.9) == pytest.approx(0.0102598, rel=1e-5)
    assert equilibrium_angle(1e-2, 0.5, 0.0) == pytest.approx(0.1)
    assert equilibrium_norm(1e-2, 0.5, 400) == pytest.approx(2.0)
    assert equilibrium_norm(1e-2, 0.0, 400) == math.inf
    assert settling_steps(1e-2, 0.5) == pytest.approx(1000)
    assert settling_steps(1e-2, 0.0) == math.inf


@pytest.mark.parametrize("call", [lambda: timescale_epochs(0.0, 1, 1), lambda: equilibrium_angle(1, 1, 1.0)])
def test_impossible_settings_are_refused(call):
    with pytest.raises(SettingError):
        call()
