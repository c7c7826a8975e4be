import numpy as np
import pytest

from temperance.evaluation.calibration import CALIBRATORS, calibrator_of
from temperance.evaluation.calibration.base import LEAST, checked, floored_logs, log_softmax, softmax
from temperance.records.errors import DataError


@pytest.mark.parametrize("kind", CALIBRATORS)
@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_shrinking_is_a_mixture_of_logarithms_and_share_0_changes_nothing(kind, share, made):
    p, y = made(1.7, n=300, classes=2)
    fitted = CALIBRATORS[kind].fit(floored_logs(p), y)
    mixed = softmax((1 - share) * np.log(p) + share * log_softmax(fitted.scores(floored_logs(p))))
    assert fitted.shrunk(share).apply(p) == pytest.approx(mixed, abs=1e-12)
    assert np.allclose(fitted.apply(p).sum(axis=1), 1)


@pytest.mark.parametrize("kind", CALIBRATORS)
def test_round_trip_through_json(kind, made):
    import json

    p, y = made(0.7, n=100, classes=2)
    fitted = CALIBRATORS[kind].fit(floored_logs(p), y)
    row = json.loads(json.dumps(fitted.to_dict()))
    assert row["kind"] == kind
    assert calibrator_of(row) == fitted


@pytest.mark.parametrize("kind", [k for k in CALIBRATORS if k != "identity"])
def test_extreme_confidence_stays_finite(kind):
    p = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0], [0.5, 0.5], [0.0, 1.0]] * 10)
    y = np.array([0, 1, 1, 0, 0] * 10)
    out = CALIBRATORS[kind].fit(floored_logs(p), y).apply(p)
    assert np.isfinite(out).all()
    assert out[2, 1] > 0.01  # one in three of these were wrong


def test_weights_count_rows_as_often(made):
    p, y = made(2.0, n=200, classes=2)
    twice = np.r_[np.arange(200), np.arange(100)]
    weight = np.r_[np.full(100, 2.0), np.ones(100)]
    for kind in ("temperature", "quadratic", "beta", "matrix"):
        logs = floored_logs(p)
        by_rows = CALIBRATORS[kind].fit(logs[twice], y[twice]).apply(p)
        assert CALIBRATORS[kind].fit(logs, y, weight).apply(p) == pytest.approx(by_rows, abs=2e-4)


@pytest.mark.parametrize(
    ("p", "y"),
    [([[0.5, 0.5]], []), ([0.5], [0]), ([[0.5, np.nan]], [0]), ([[0.5, 0.5]], [2]), ([[1.5, -0.5]], [0])],
)
def test_wrong_rows_are_refused(p, y):
    with pytest.raises(DataError):
        checked(p, y)


def test_the_floor():
    assert np.exp(floored_logs([[1.0, 0.0]]))[0] == pytest.approx([1.0, LEAST])
