"""Ask a controller less often."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from temperance.control.base import Memory, Specs, Values, controllers, require
from temperance.control.signal import Signals
from temperance.control.wrapper import Wrapper, held, measured


@controllers.add
@dataclass(frozen=True, repr=False)
class Every(Wrapper):
    """Run ``inner`` at every n-th measurement of its signal, beginning with the first.

    Attributes:
        inner: the rule.
        n: measurements from one run to the next.

    Example:
        >>> from temperance.control.schedule import Linear
        >>> Every(Linear(), 10)
        Every(inner=Linear(), n=10)

    """

    n: int = 1

    def __post_init__(self) -> None:
        require("Every", "n", self.n, 1, 1_000_000_000, whole=True)

    def begin(self, strengths: Values, specs: Specs) -> Memory:
        return {**super().begin(strengths, specs), "count": np.array(0, dtype=np.int64)}

    def move(self, strengths: Values, signals: Signals, memory: Memory, specs: Specs) -> tuple[Values, Memory]:
        if not measured(self.inner, signals):
            return {}, held(memory)
        count = np.array(int(memory["count"]) + 1, dtype=np.int64)
        if int(memory["count"]) % self.n:
            return {}, {**held(memory), "count": count}
        values, kept = self.run(strengths, signals, memory, specs)
        return values, {**kept, "count": count}
