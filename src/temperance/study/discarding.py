"""Early discarding: is a half-trained trial still worth its time?"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from temperance.records.statistics import paired

P_WORSE = 0.01


@dataclass
class Discarding:
    """Per-row losses of trials at the same fraction of their training.

    A trial goes on unless the best trial at this mark is better on the same rows with p < ``P_WORSE`` (two-sided,
    paired) and at least ``least`` others have passed the mark. Strong regularization learns
    late, so the test is strict.

    Attributes:
        least: trials that must have passed a mark before anything is discarded there.
        marks: losses by fraction and trial.

    """

    least: int = 2
    marks: dict[float, dict[str, NDArray[np.float64]]] = field(default_factory=dict)

    def note(self, trial: str, fraction: float, losses: NDArray[np.float64]) -> None:
        """Remember the losses of a trial that passed a mark.

        Shapes: losses (n,), one per selection row.
        """
        self.marks.setdefault(fraction, {})[trial] = losses

    def judge(self, trial: str, fraction: float, losses: NDArray[np.float64]) -> tuple[bool, dict[str, Any]]:
        """Return (go on, the reason as fields of a ``Marked``); rows with NaN losses (not predicted yet) do not count.

        The trial itself is not remembered by this: see ``note``.

        Shapes: losses (n,), one per selection row.
        """
        others = {name: seen for name, seen in self.marks.get(fraction, {}).items() if name != trial}
        known = np.isfinite(losses)
        verdict: dict[str, Any] = {"loss": float(losses[known].mean()) if known.any() else None}
        if len(others) < self.least:
            return True, verdict
        best = min(others, key=lambda t: float(np.nanmean(others[t])))
        both = known & np.isfinite(others[best])
        test = paired(losses[both], others[best][both])
        verdict |= {"best": best, "difference": test.difference, "p": test.p}
        return not (test.difference > 0 and test.p < P_WORSE), verdict
