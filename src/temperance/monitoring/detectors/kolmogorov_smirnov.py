"""Two-sample Kolmogorov-Smirnov test over fixed windows: a baseline."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from temperance.monitoring.base import DETECTORS, Detector, column
from temperance.records.errors import SettingError
from temperance.records.verdict import Verdict


@DETECTORS.add
@dataclass(frozen=True)
class KolmogorovSmirnov(Detector):
    """Compare the last full window with the reference: D = max |F_window − F_reference|, p by Kolmogorov's series.

    The evidence is 1 / p and the threshold 1 / ``level``. Use when: a known test is asked for. Avoid when: it runs for
    long; each window has the chance ``level`` of a false alarm, so the average run length is ``window`` / ``level``.

    Attributes:
        window: rows per comparison.
        level: chance of a false alarm per window.

    """

    window: int = 500
    level: float = 0.001

    def __post_init__(self) -> None:
        if self.window < 20 or not 0 < self.level < 1:
            raise SettingError(
                f"window={self.window}, level={self.level}", "window ≥ 20 and 0 < level < 1", "Change them"
            )

    def start(self, reference: NDArray[Any]) -> None:
        """Keep ``reference`` (m,), sorted."""
        values = column(reference, what="the reference")
        self.state.clear()
        self.state.update(
            reference=np.sort(values[~np.isnan(values)]),
            held=np.empty(0),
            n=np.array(0),
            p=np.array(1.0),
            alarms=np.array(0),
        )

    def observe(self, values: NDArray[Any]) -> Verdict:
        """Take values (b,); judge each window as it fills; the verdict is that of the last full one."""
        state = self.ready()
        held = np.concatenate([state["held"], column(values, what="values")])
        while len(held) >= self.window:
            block, held = held[: self.window], held[self.window :]
            state["p"] = np.array(p_value(state["reference"], block[~np.isnan(block)]))
            state["alarms"] = state["alarms"] + (state["p"] <= self.level)
        state["held"], state["n"] = held, state["n"] + len(values)
        p = float(state["p"])
        sentence = f"Kolmogorov-Smirnov test of {self.channel} in the last full window: p = {p:.2g}."
        details = {"alarms": int(state["alarms"]), "window": self.window, "p": p}
        alarm = p <= self.level
        evidence = 1 / max(p, 1e-300)
        return Verdict(
            self.channel, "alarm" if alarm else "calm", evidence, 1 / self.level, int(state["n"]), sentence, details
        )


def p_value(reference: NDArray[np.float64], values: NDArray[np.float64]) -> float:
    """Return the asymptotic p-value of the two-sample test; ``reference`` is sorted (Stephens' small-sample factor).

    Shapes: reference (m,), values (n,).
    """
    if not len(reference) or not len(values):
        return 1.0
    ordered = np.sort(values)
    both = np.concatenate([reference, ordered])
    first = np.searchsorted(reference, both, side="right") / len(reference)
    second = np.searchsorted(ordered, both, side="right") / len(ordered)
    size = math.sqrt(len(reference) * len(ordered) / (len(reference) + len(ordered)))
    x = (size + 0.12 + 0.11 / size) * float(np.abs(first - second).max())
    if x < 0.2:
        return 1.0
    series = sum((-1.0) ** (j - 1) * math.exp(-2 * j * j * x * x) for j in range(1, 101))
    return float(min(1.0, max(0.0, 2 * series)))
