"""The policy of the fresh model."""

from __future__ import annotations

import numpy as np
import pytest

from temperance.evaluation import compare
from temperance.lifecycle import NotWorse
from temperance.records.errors import SettingError


@pytest.mark.parametrize(("shift", "choice"), [(-0.2, "promote"), (0.0, "promote"), (0.001, "promote"), (0.1, "keep")])
@pytest.mark.parametrize("metric", ["log_loss", "accuracy"])
def test_small_losses_are_accepted_in_either_direction(shift: float, choice: str, metric: str) -> None:
    rng = np.random.default_rng(0)
    old = rng.uniform(0.2, 0.8, size=400)
    found = NotWorse(0.01).decide(
        compare(old + shift + 0.01 * rng.normal(size=400), old, metric=metric, method="t"), metric=metric
    )
    assert found.choice == choice


def test_uncertainty_keeps_the_champion() -> None:
    rng = np.random.default_rng(1)
    old = rng.uniform(size=30)
    found = NotWorse(0.01).decide(compare(old + rng.normal(size=30), old, metric="log_loss"), metric="log_loss")
    assert found.choice == "keep"
    assert "may be worse" in found.why


def test_margin_is_checked() -> None:
    with pytest.raises(SettingError, match="margin=-1"):
        NotWorse(-1)
