import math

import numpy as np
import pytest

from temperance.control import Hypergradient, Strength

SPECS = {
    "a.p": Strength(0.5, low=0.0, high=1.0, neutral=0.0),
    "w.decay": Strength(1e-3, low=1e-6, high=1.0, neutral=0.0, scale="log"),
}


def begin(rule):
    values = {a: np.array(s.default) for a, s in SPECS.items()}
    return values, rule.begin(values, SPECS)


def test_first_step_has_the_full_rate_whatever_the_size_of_the_gradient():
    for size in (1e-8, 1.0, 1e8):
        rule = Hypergradient(0.1)
        values, memory = begin(rule)
        after, _ = rule.steer(values, {"hypergradient/a.p": size, "hypergradient/w.decay": -size}, memory, SPECS)
        assert float(after["a.p"]) == pytest.approx(0.4, rel=1e-3)
        assert float(after["w.decay"]) == pytest.approx(1e-3 * math.exp(0.1 * math.log(1e6)), rel=1e-2)


def test_equals_a_plain_rms_loop():
    rule, grads = Hypergradient(0.02, beta=0.9), np.random.default_rng(0).normal(size=30)
    values, memory = begin(rule)
    place, size = math.log(1e-3), 0.0
    for count, grad in enumerate(grads, 1):
        slope = float(grad) * math.exp(place)
        values, memory = rule.steer(values, {"hypergradient/w.decay": grad}, memory, SPECS)
        size = 0.9 * size + 0.1 * slope**2
        place -= 0.02 * math.log(1e6) * slope / math.sqrt(size / (1 - 0.9**count))
        place = min(max(place, math.log(1e-6)), 0.0)
        assert float(values["w.decay"]) == pytest.approx(math.exp(place), rel=1e-9)


def test_warm_up_learns_sizes_but_moves_nothing():
    rule = Hypergradient(0.1, warmup=2.0)
    values, memory = begin(rule)
    after, memory = rule.steer(values, {"hypergradient/a.p": 1.0, "epoch": 1.0}, memory, SPECS)
    assert float(after["a.p"]) == 0.5
    assert float(memory["size/a.p"]) > 0
    after, _ = rule.steer(after, {"hypergradient/a.p": 1.0, "epoch": 2.0}, memory, SPECS)
    assert float(after["a.p"]) < 0.5


def test_finds_the_minimum_of_a_bowl():
    """Validation loss (log10 s + 4)² has its minimum at 1e-4."""
    rule = Hypergradient(0.01)
    values, memory = begin(rule)
    for _ in range(300):
        s = float(values["w.decay"])
        slope = 2 * (math.log10(s) + 4) / (s * math.log(10))
        values, memory = rule.steer(values, {"hypergradient/w.decay": slope}, memory, SPECS)
    assert math.log10(float(values["w.decay"])) == pytest.approx(-4.0, abs=0.15)
