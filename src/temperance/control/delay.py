"""Let a controller begin later."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from temperance.control.base import Memory, Specs, Values, controllers, require
from temperance.control.signal import Signals, read
from temperance.control.wrapper import Wrapper, held


@controllers.add
@dataclass(frozen=True, repr=False)
class Delay(Wrapper):
    """Hold everything until a signal of phase has come far enough, then run ``inner``.

    Attributes:
        inner: the rule.
        until: value of ``clock`` from which the rule runs.
        clock: ``progress`` (0 to 1), ``epoch`` or ``step``.

    Example:
        >>> from temperance.control.gap_feedback import GapFeedback
        >>> Delay(GapFeedback(), until=5, clock="epoch")
        Delay(inner=GapFeedback(), until=5, clock='epoch')

    """

    until: float = 0.1
    clock: str = "progress"

    def __post_init__(self) -> None:
        require("Delay", "until", self.until, 0.0, 1e15)

    @property
    def reads(self) -> frozenset[str]:
        return self.inner.reads | {self.clock}

    def move(self, strengths: Values, signals: Signals, memory: Memory, specs: Specs) -> tuple[Values, Memory]:
        now = read(signals, self.clock)
        if not np.all(now >= self.until):
            return {}, held(memory)
        return self.run(strengths, signals, memory, specs)
