"""The careful policy."""

from __future__ import annotations

import numpy as np
import pytest

from temperance.evaluation import Comparison, compare
from temperance.lifecycle import BetterOnly


def against(shift: float, *, noise: float = 0.0, metric: str = "log_loss") -> Comparison:
    rng = np.random.default_rng(0)
    old = rng.uniform(0.2, 0.8, size=300)
    return compare(old + shift + noise * rng.normal(size=300), old, metric=metric)


@pytest.mark.parametrize(
    ("shift", "noise", "choice", "word"),
    [
        (-0.1, 0.1, "promote", "better"),
        (0.1, 0.1, "keep", "worse"),
        (0.0, 0.5, "keep", "no significant difference"),
        (0.0, 0.0, "keep", "no significant difference"),
    ],
)
def test_only_a_clear_gain_promotes(shift: float, noise: float, choice: str, word: str) -> None:
    found = BetterOnly().decide(against(shift, noise=noise), metric="log_loss")
    assert found.choice == choice
    assert word in found.why
    assert found.sentence
