import numpy as np
import pytest

from temperance.monitoring.detectors.shiryaev_roberts import ShiryaevRoberts
from temperance.records.errors import DataError


def test_a_change_of_spread_is_found_too():
    rng = np.random.default_rng(0)
    detector = ShiryaevRoberts()
    detector.start(rng.normal(size=2000))
    assert detector.observe(rng.normal(size=500) * 2).state == "alarm"


def test_the_threshold_states_the_average_run_length():
    detector = ShiryaevRoberts(average_run_length=1000)
    detector.start(np.arange(100.0))
    assert detector.observe(np.arange(3.0)).threshold == 2000


def test_too_small_a_reference_is_refused():
    with pytest.raises(DataError, match="at least 20"):
        ShiryaevRoberts().start(np.zeros(5))


@pytest.mark.slow
def test_drift_of_one_spread_is_found_within_sixty_rows():
    delays = []
    for seed in range(15):
        rng = np.random.default_rng(seed)
        detector = ShiryaevRoberts()
        detector.start(rng.normal(size=4000))
        detector.observe(rng.normal(size=1000))
        delay = 0
        while detector.observe(rng.normal(1.0, size=4)).state != "alarm":
            delay += 4
        delays.append(delay)
    assert np.median(delays) <= 60
