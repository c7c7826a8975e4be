from dataclasses import dataclass
from typing import ClassVar

import pytest

from temperance import signals as _  # noqa: F401
from temperance.core.signal import Signal, providers


def test_only_the_signals_that_are_read_are_measured():
    assert [type(s).__name__ for s in providers(frozenset({"gap", "gap_error"}))] == ["Gap"]
    assert providers(frozenset({"nobody gives this"})) == []


def test_a_signal_must_measure():
    @dataclass(frozen=True)
    class Silent(Signal):
        gives: ClassVar[tuple[str, ...]] = ("x",)

    with pytest.raises(TypeError, match="measure"):
        Silent()
