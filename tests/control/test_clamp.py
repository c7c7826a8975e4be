import numpy as np
import pytest

from temperance.control import Clamp, GapFeedback, Linear, Strength
from temperance.records.errors import SettingError

SPECS = {"a.p": Strength(0.4, low=0.0, high=1.0, neutral=0.0)}


def drive(rule, rows, start=0.2):
    values = {"a.p": np.array(start)}
    memory, path = rule.begin(values, SPECS), []
    for row in rows:
        values, memory = rule.steer(values, row, memory, SPECS)
        path.append(float(values["a.p"]))
    return path


def test_values_stay_inside():
    path = drive(Clamp(Linear(0.0, 4.0), 0.1, 0.5), [{"progress": p} for p in (0.0, 0.5, 1.0)])
    assert path == [0.1, pytest.approx(0.4), 0.5]


def test_the_inner_state_does_not_wind_up():
    rule = Clamp(GapFeedback(ki=0.5, kp=0.0, noise=0.0, rate=9.0, high=1.0, warmup=False), 0.0, 0.5)
    path = drive(rule, [{"gap": 1.0, "epoch": t} for t in range(20)] + [{"gap": -0.2, "epoch": 20}])
    assert path[19] == 0.5
    assert path[20] < 0.5


def test_a_range_outside_the_strength_is_refused():
    with pytest.raises(SettingError, match=r"a.p lies between 0 and 1"):
        drive(Clamp(Linear(), 2.0, 3.0), [])
