import numpy as np

from temperance.evaluation.calibration import Calibrated, Temperature
from temperance.records.stated_range import StatedRange


class Fixed:
    schema = "schema"

    def __init__(self, answer):
        self.answer = np.asarray(answer)

    def predict(self, rows):
        return self.answer


def test_probabilities_are_calibrated():
    p = np.array([[0.8, 0.2]])
    assert Calibrated(Fixed(p)).schema == "schema"
    assert np.array_equal(Calibrated(Fixed(p)).predict(None), p)
    assert np.array_equal(Calibrated(Fixed(p), Temperature(2.0)).predict(None), Temperature(2.0).apply(p))


def test_values_pass_and_get_their_interval():
    values = Fixed([1.0, 2.0])
    assert Calibrated(values, Temperature(2.0)).predict(None).tolist() == [1.0, 2.0]
    banded = Calibrated(values, band=StatedRange((0.8,), (0.5,), 0.8))
    low, high = banded.interval(None)
    assert (low.tolist(), high.tolist()) == ([0.5, 1.5], [1.5, 2.5])
    assert banded.coverage == 0.8
    assert Calibrated(values).interval(None) is None
