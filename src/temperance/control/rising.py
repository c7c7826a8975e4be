"""Stop when a signal keeps rising, or when its smoothed course has passed its first low point."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass

import numpy as np

from temperance.control.base import Memory, Specs, Values, controllers, require
from temperance.control.early_stopping import Stopper
from temperance.control.signal import Signals, read


@controllers.add
@dataclass(frozen=True, repr=False)
class StopRising(Stopper):
    """Stop when a signal has risen a number of times; with gradient disparity no validation labels are needed.

        stop when  signal_t > signal_{t−1}  for k measurements (in a row, or in all)

    ``keep`` is set whenever the signal has not risen, so the state before the last rises is restored.

    Attributes:
        rises: k.
        in_a_row: count rises in a row; False: all rises since the start.
        signal: name of the signal.

    Use when: labels are few or noisy, and no rows can be spared. Avoid when: batches are so small that the disparity
    is mostly noise.

    Example:
        >>> StopRising()
        StopRising()

    Reference: Forouzesh and Thiran 2021, "Disparity between batches as a signal for early stopping",
    arXiv:2107.06665, section 5 (k = 5).

    """

    rises: int = 5
    _: KW_ONLY
    in_a_row: bool = True
    signal: str = "gradient_disparity"

    def __post_init__(self) -> None:
        require("StopRising", "rises", self.rises, 1, 1_000_000, whole=True)

    @property
    def reads(self) -> frozenset[str]:
        return frozenset({self.signal})

    def begin(self, strengths: Values, specs: Specs) -> Memory:
        memory = super().begin(strengths, specs)
        return {**memory, "last": np.full(memory["stop"].shape, np.nan)}

    def move(self, strengths: Values, signals: Signals, memory: Memory, specs: Specs) -> tuple[Values, Memory]:
        last = memory["last"]
        value = read(signals, self.signal, last.shape)
        known = np.isfinite(value) & ~memory["stop"]
        rose = known & (value > last)
        fallen = np.zeros_like(memory["count"]) if self.in_a_row else memory["count"]
        count = np.where(rose, memory["count"] + 1, np.where(known, fallen, memory["count"]))
        kept = {"last": np.where(known, value, last), "keep": known & ~rose, "error": value - last}
        return {}, {**memory, **kept, **self._stopped(memory, count, self.rises)}

    def why(self, address: str, change: float, error: float) -> str:
        row = " in a row" if self.in_a_row else ""
        return f"stop: {self.signal} has risen {self.rises} times{row}"


@controllers.add
@dataclass(frozen=True, repr=False)
class LabelWave(Stopper):
    """Stop at the first low point of the smoothed number of prediction flips: wrong labels are learnt after it.

        m_t = mean of the last w counts;  stop when m has not fallen below its lowest for ``patience`` measurements

    ``keep`` is set at every new low, so the state at the low point is restored. Needs no clean labels and no rows.

    Attributes:
        window: w.
        patience: measurements without a new low that confirm it; 1 is the first local minimum to the letter.
        signal: name of the signal.

    Use when: labels are noisy and the loss is cross-entropy. Avoid when: the loss is robust by itself (it fires too
    early there), or labels are clean.

    Example:
        >>> LabelWave(window=4)
        LabelWave(window=4)

    Reference: Yuan et al. 2024, "Early stopping against label noise without validation data", ICLR.

    """

    window: int = 3
    _: KW_ONLY
    patience: int = 1
    signal: str = "prediction_flips"

    def __post_init__(self) -> None:
        require("LabelWave", "window", self.window, 1, 100_000, whole=True)
        require("LabelWave", "patience", self.patience, 1, 1_000_000, whole=True)

    @property
    def reads(self) -> frozenset[str]:
        return frozenset({self.signal})

    def begin(self, strengths: Values, specs: Specs) -> Memory:
        memory = super().begin(strengths, specs)
        shape = memory["stop"].shape
        return {**memory, "past": np.full((self.window, *shape), np.nan), "lowest": np.full(shape, np.nan)}

    def move(self, strengths: Values, signals: Signals, memory: Memory, specs: Specs) -> tuple[Values, Memory]:
        past, lowest = memory["past"], memory["lowest"]
        value = read(signals, self.signal, lowest.shape)
        known = np.isfinite(value) & ~memory["stop"]
        past = np.where(known, np.concatenate([past[1:], value[None]]), past)
        mean = past.mean(axis=0)  # NaN until the window is full
        full = known & np.isfinite(mean)
        low = full & ~(mean >= lowest)
        count = np.where(low, 0, np.where(full, memory["count"] + 1, memory["count"]))
        kept = {"past": past, "lowest": np.where(low, mean, lowest), "keep": low, "error": mean - lowest}
        return {}, {**memory, **kept, **self._stopped(memory, count, self.patience)}

    def why(self, address: str, change: float, error: float) -> str:
        return f"stop: the smoothed {self.signal} passed its first low point"
