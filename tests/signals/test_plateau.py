"""The count of readings without progress, and the slope."""

import math

import pytest

from temperance.records.errors import SettingError
from temperance.signals.plateau import Plateau


def test_counts_readings_since_the_best_and_follows_the_slope(probe):
    one, memory, counts, slopes = Plateau(tolerance=0.01, decay=0.5), {}, [], []
    for loss in (1.0, 0.5, 0.499, 0.6, 0.4):
        got = one.measure(probe(known={"valid_loss": loss}, memory=memory))
        counts.append(got["plateau"])
        slopes.append(got["plateau_slope"])
    assert counts == [0, 0, 1, 2, 0]  # 0.499 is better by less than 1 %
    assert slopes == pytest.approx([0.0, -0.25, -0.1255, -0.01225, -0.106125])


def test_nothing_is_known_without_a_loss(probe):
    memory = {}
    got = Plateau().measure(probe(memory=memory))
    assert all(math.isnan(v) for v in got.values())
    assert memory == {}


def test_wrong_settings_are_refused():
    with pytest.raises(SettingError, match="decay=1"):
        Plateau(decay=1.0)
