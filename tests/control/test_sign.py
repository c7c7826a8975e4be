import numpy as np
import pytest

from temperance.control import SignFeedback, Strength

SPECS = {"ada.p": Strength(0.0, low=0.0, high=1.0, neutral=0.0)}


def drive(controller, rows):
    values = {"ada.p": np.array(0.0)}
    memory, path = controller.begin(values, SPECS), []
    for signal, epoch in rows:
        values, memory = controller.steer(values, {"rt": signal, "epoch": epoch}, memory, SPECS)
        path.append(float(values["ada.p"]))
    return path


def test_ramp_by_hand():
    # ramp of 10 epochs: 0.1 an epoch up, half an epoch down again, nothing at the target, never below 0 or above 1
    controller = SignFeedback(0.6, ramp=10.0, signal="rt")
    rows = [(0.9, 1.0), (0.9, 3.0), (0.1, 3.5), (0.6, 4.0), (0.0, 20.0), (0.9, 21.0), (0.9, 99.0)]
    np.testing.assert_allclose(drive(controller, rows), [0.1, 0.3, 0.25, 0.25, 0.0, 0.1, 1.0], atol=1e-12)


def test_full_ramp_takes_the_named_epochs():
    path = drive(SignFeedback(0.6, ramp=15.0, signal="rt"), [(1.0, float(e)) for e in range(1, 16)])
    assert path[-1] == pytest.approx(1.0)
    assert path[-2] < 1.0


def test_high_is_the_largest():
    assert drive(SignFeedback(0.6, ramp=1.0, high=0.8, signal="rt"), [(1.0, 5.0)]) == [0.8]
