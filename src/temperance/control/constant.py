"""The rule that moves nothing."""

from __future__ import annotations

from dataclasses import dataclass

from temperance.control.base import Controller, Memory, Specs, Values, controllers
from temperance.control.signal import Signals


@controllers.add
@dataclass(frozen=True, repr=False)
class Constant(Controller):
    """Leave every strength where the user set it.

    Use when: you want a fixed recipe, or a baseline for an adaptive one.

    Example:
        >>> Constant()
        Constant()

    """

    @property
    def reads(self) -> frozenset[str]:
        return frozenset()

    def move(self, strengths: Values, signals: Signals, memory: Memory, specs: Specs) -> tuple[Values, Memory]:
        return {}, memory
