"""Population stability index over fixed windows: the usual rule, kept as a baseline."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from temperance.monitoring.base import DETECTORS, Detector, column
from temperance.monitoring.shift import stability_index
from temperance.records.errors import SettingError
from temperance.records.verdict import Verdict


@DETECTORS.add
@dataclass(frozen=True)
class StabilityIndex(Detector):
    """Compare deciles of the last full window with the reference: PSI = Σ (a − e) ln(a / e).

    Use when: a house rule asks for PSI. Avoid when: false alarms or small shifts matter; it states no false-alarm rate
    and cannot react before a window is full.

    Attributes:
        window: rows per comparison.
        limit: index from which it alarms (house rules use 0.1 or 0.2).

    """

    window: int = 500
    limit: float = 0.2

    def __post_init__(self) -> None:
        if self.window < 20 or not self.limit > 0:
            raise SettingError(f"window={self.window}, limit={self.limit}", "window ≥ 20 and limit > 0", "Raise them")

    def start(self, reference: NDArray[Any]) -> None:
        """Take the deciles of ``reference`` (m,)."""
        values = column(reference, what="the reference")
        edges = np.quantile(values[~np.isnan(values)], np.arange(1, 10) / 10)
        expected = np.bincount(np.searchsorted(edges, values[~np.isnan(values)], side="right"), minlength=10)
        self.state.clear()
        self.state.update(
            edges=edges, expected=expected, held=np.empty(0), n=np.array(0), index=np.array(0.0), alarms=np.array(0)
        )

    def observe(self, values: NDArray[Any]) -> Verdict:
        """Take values (b,); judge each window as it fills; the verdict is that of the last full one."""
        state = self.ready()
        held = np.concatenate([state["held"], column(values, what="values")])
        while len(held) >= self.window:
            block, held = held[: self.window], held[self.window :]
            bins = np.searchsorted(state["edges"], block[~np.isnan(block)], side="right")
            state["index"] = np.array(stability_index(state["expected"], np.bincount(bins, minlength=10)))
            state["alarms"] = state["alarms"] + (state["index"] >= self.limit)
        state["held"], state["n"] = held, state["n"] + len(values)
        index = float(state["index"])
        level = f"Stability index of {self.channel} in the last full window: {index:.2f} (limit {self.limit:g})."
        details = {"alarms": int(state["alarms"]), "window": self.window}
        alarm = index >= self.limit
        return Verdict(self.channel, "alarm" if alarm else "calm", index, self.limit, int(state["n"]), level, details)
