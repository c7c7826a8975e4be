import math

import numpy as np
import pytest

from temperance.monitoring.shift import size_of, stability_index, words


def test_stability_index_by_hand():
    e, a = np.array([50.5, 50.5]) / 101, np.array([90.5, 10.5]) / 101
    expected = sum((x - y) * math.log(x / y) for x, y in zip(a, e, strict=True))
    assert stability_index(np.array([50, 50]), np.array([90, 10])) == pytest.approx(expected)
    assert stability_index(np.array([50, 50]), np.array([50, 50])) == 0
    assert stability_index(np.zeros(2), np.array([1, 2])) == 0


def test_size_of_a_normal_shift_is_about_its_standard_deviations():
    rng = np.random.default_rng(0)
    edges = np.linspace(-2, 2, 15)
    before, after = (np.bincount(np.searchsorted(edges, rng.normal(m, size=5000)), minlength=16) for m in (0, 0.5))
    shift = size_of(before, after)
    assert shift["sd"] == pytest.approx(0.5, abs=0.06)
    assert shift["size"] in ("small", "large")
    assert size_of(before, np.zeros(16))["size"] == "none"


@pytest.mark.parametrize(
    ("channel", "state", "part"),
    [
        ("feature:age", "alarm", "“age” is higher"),
        ("feature:age", "calm", "No sign of change"),
        ("feature:age", "watch", "It may be"),
        ("missing:age", "alarm", "empty"),
        ("unseen:job", "alarm", "never seen"),
        ("prediction", "alarm", "what the model predicts"),
        ("confidence", "alarm", "confidence is higher"),
    ],
)
def test_words_say_what_happened(channel, state, part):
    assert part in words(channel, state, size_of(np.array([50, 30, 20]), np.array([10, 20, 70])))


def test_words_admit_that_a_tiny_change_may_be_chance():
    assert "chance" in words("missing:age", "alarm", size_of(np.array([500, 1]), np.array([100, 0])))
