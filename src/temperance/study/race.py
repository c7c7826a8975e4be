"""Early discarding: is a half-trained trial still worth its time?"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from temperance.records.statistics import paired

P_WORSE = 0.01


@dataclass
class Race:
    """Per-row losses of all nets at the same fraction of their training.

    A trial goes on unless the best trial at this mark is better on the same rows with p < ``P_WORSE`` (two-sided,
    paired) and at least ``least`` others have passed the mark. Strong regularization learns
    late, so the test is strict.

    Attributes:
        least: trials that must have passed a mark before anything is discarded there.
        marks: losses by fraction and trial.

    """

    least: int = 2
    marks: dict[float, dict[str, NDArray[np.float64]]] = field(default_factory=dict)

    def judge(self, trial: str, fraction: float, losses: NDArray[np.float64]) -> tuple[bool, dict[str, Any]]:
        """Return (go on, the reason as a ledger row); rows with NaN losses (not predicted yet) do not count."""
        others = self.marks.setdefault(fraction, {})
        known = np.isfinite(losses)
        verdict: dict[str, Any] = {"trial": trial, "fraction": fraction, "loss": float(losses[known].mean())}
        if len(others) >= self.least:
            best = min(others, key=lambda t: float(np.nanmean(others[t])))
            both = known & np.isfinite(others[best])
            test = paired(losses[both], others[best][both])
            verdict |= {"best": best, "difference": test.difference, "p": test.p}
            if test.difference > 0 and test.p < P_WORSE:
                others[trial] = losses
                return False, {**verdict, "continue": False}
        others[trial] = losses
        return True, {**verdict, "continue": True}
