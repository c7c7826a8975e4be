import numpy as np
import pytest
from scipy import stats

from temperance.monitoring.detectors.kolmogorov_smirnov import KolmogorovSmirnov, p_value
from temperance.records.errors import SettingError


@pytest.mark.parametrize("shift", [0.0, 0.1, 0.3])
def test_p_value_agrees_with_scipy(shift):
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=2000), rng.normal(shift, size=500)
    expected = stats.ks_2samp(a, b, method="asymp").pvalue
    assert p_value(np.sort(a), b) == pytest.approx(expected, rel=0.15, abs=1e-3)


def test_empty_windows_say_nothing():
    assert p_value(np.empty(0), np.zeros(3)) == 1.0
    assert p_value(np.zeros(3), np.zeros(3)) == 1.0


def test_settings_are_checked():
    with pytest.raises(SettingError, match="level"):
        KolmogorovSmirnov(level=0)
