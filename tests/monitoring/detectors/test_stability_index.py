import numpy as np
import pytest

from temperance.monitoring.detectors.stability_index import StabilityIndex
from temperance.records.errors import SettingError


def test_judges_only_full_windows_and_counts_alarms():
    rng = np.random.default_rng(0)
    detector = StabilityIndex(window=100)
    detector.start(rng.normal(size=1000))
    assert detector.observe(rng.normal(3.0, size=99)).state == "calm"
    verdict = detector.observe(rng.normal(3.0, size=101))
    assert verdict.details["alarms"] == 2


def test_settings_are_checked():
    with pytest.raises(SettingError, match="window"):
        StabilityIndex(window=3)
