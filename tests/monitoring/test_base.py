import numpy as np
import pytest

from temperance.monitoring.base import DETECTORS, column
from temperance.monitoring.detectors import load
from temperance.records.errors import DataError, SettingError

load()
DETECTORS_BY_NAME = dict(DETECTORS.items())


def test_three_detectors_are_registered():
    assert {"ShiryaevRoberts", "StabilityIndex", "KolmogorovSmirnov"} <= set(DETECTORS)


@pytest.fixture(params=sorted(DETECTORS_BY_NAME))
def detector(request):
    return DETECTORS_BY_NAME[request.param](channel="age")


def test_each_detector_is_calm_without_drift_and_alarms_on_a_large_one(detector):
    rng = np.random.default_rng(0)
    detector.start(rng.normal(size=2000))
    assert detector.observe(rng.normal(size=1000)).state == "calm"
    verdict = detector.observe(rng.normal(1.0, size=1000))
    assert (verdict.state, verdict.channel, verdict.n) == ("alarm", "age", 2000)
    assert verdict.evidence >= verdict.threshold


def test_each_detector_resumes_exactly(detector):
    rng = np.random.default_rng(0)
    detector.start(rng.normal(size=500))
    detector.observe(rng.normal(size=333))
    twin = type(detector)(channel="age")
    twin.load_state_dict(detector.state_dict())
    more = rng.normal(size=777)
    assert detector.observe(more) == twin.observe(more)


def test_each_detector_refuses_to_run_without_a_reference(detector):
    with pytest.raises(SettingError, match="start"):
        detector.observe(np.zeros(3))


def test_missing_values_are_skipped(detector):
    rng = np.random.default_rng(0)
    detector.start(np.where(rng.random(500) < 0.1, np.nan, rng.normal(size=500)))
    values = np.where(rng.random(1000) < 0.5, np.nan, rng.normal(size=1000))
    assert detector.observe(values).state == "calm"


def test_column_refuses_a_matrix():
    with pytest.raises(DataError, match="shape"):
        column(np.zeros((2, 2)), what="values")
