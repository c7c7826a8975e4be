import numpy as np
import pytest

from temperance.control import Spectral, Strength

SPEC = Strength(0.01, low=1e-6, high=1.0, neutral=0.0, scale="log")


def spread(tails, rule=None):
    rule = rule or Spectral(weak=0.5, strong=3.0)
    specs = {f"decay.{i}": SPEC for i in range(len(tails))}
    values = {a: np.array(0.01) for a in specs}
    signals = {f"tail_exponent/decay.{i}": tail for i, tail in enumerate(tails)}
    after, _ = rule.steer(values, signals, rule.begin(values, specs), specs)
    return [float(v) for v in after.values()]


def test_light_tails_get_more():
    assert spread([2.0, 3.0, 4.0]) == pytest.approx([0.005, 0.0175, 0.03])


def test_nearly_equal_layers_stay_equal():
    assert spread([2.0, 2.01, 2.02]) == [0.01, 0.01, 0.01]


def test_a_layer_without_an_exponent_keeps_its_value():
    assert spread([2.0, np.nan, 4.0]) == pytest.approx([0.005, 0.01, 0.03])
