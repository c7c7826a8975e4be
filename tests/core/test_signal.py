import math
from dataclasses import dataclass
from typing import ClassVar

import pytest
import torch

from temperance import signals as _  # noqa: F401
from temperance.core.signal import Signal, mean_and_error, providers


def test_mean_and_standard_error():
    mean, error, n = mean_and_error(torch.tensor([1.0, 2.0, 3.0, 6.0]))
    assert (mean, n) == (3.0, 4)
    assert error == pytest.approx(2.160246899 / 2)
    assert math.isnan(mean_and_error(torch.tensor([1.0]))[1])


def test_only_the_signals_that_are_read_are_measured():
    assert [type(s).__name__ for s in providers(frozenset({"gap", "gap_error"}))] == ["Gap"]
    assert providers(frozenset({"nobody gives this"})) == []


def test_a_signal_must_measure():
    @dataclass(frozen=True)
    class Silent(Signal):
        gives: ClassVar[tuple[str, ...]] = ("x",)

    with pytest.raises(TypeError, match="measure"):
        Silent()
