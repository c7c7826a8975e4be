"""Stop the training when it no longer helps."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from temperance.control.base import Controller, Memory, Move, Specs, Values, controllers, pick, require, shape_of
from temperance.control.signal import Signals, read
from temperance.records.errors import SettingError


@dataclass(frozen=True, repr=False)
class Stopper(Controller):
    """A rule that moves no strength but may set ``stop``; once set it stays set."""

    def begin(self, strengths: Values, specs: Specs) -> Memory:
        shape = shape_of(strengths)
        false = np.zeros(shape, dtype=bool)
        flags = {"stop": false, "stopped_now": false, "keep": false}
        return {**flags, "count": np.zeros(shape, dtype=np.int64), "error": np.full(shape, np.nan)}

    def explain(self, before: Values, after: Values, signals: Signals, memory: Memory, specs: Specs) -> list[Move]:
        """Return one line per member whose training ends now; its address is ``training``, its value the signal's."""
        now = np.asarray(memory["stopped_now"])
        signal = str(getattr(self, "signal", ""))
        value = read(signals, signal, now.shape)
        members = [member for member in range(now.size) if pick(now, member)]
        return [self._line("training", value, member, signal, signals, memory, value) for member in members]

    def _stopped(self, memory: Memory, count: NDArray[np.int64], patience: int) -> Memory:
        """Return the flags after ``count`` bad measurements."""
        stop = memory["stop"] | (count >= patience)
        return {"count": count, "stop": stop, "stopped_now": stop & ~memory["stop"]}


@controllers.add
@dataclass(frozen=True, repr=False)
class EarlyStopping(Stopper):
    """Stop when a signal has not improved for a number of measurements; the best state is to be restored.

    Sets ``keep`` at every new best (the session keeps a copy then) and ``stop`` when patience runs out.

    Attributes:
        patience: measurements without improvement that are allowed.
        min_delta: smaller improvements do not count.
        noise: improvements smaller than this many standard errors (``<signal>_error``) do not count.
        better: whether lower or higher values are better.
        signal: name of the signal.

    Use when: rows for the controller can be spared. Avoid when: labels are few (its choice is then noise).

    Example:
        >>> EarlyStopping(patience=5)
        EarlyStopping(patience=5)

    Reference: Prechelt 1998, "Early stopping, but when?".

    """

    patience: int = 10
    _: KW_ONLY
    min_delta: float = 0.0
    noise: float = 0.0
    better: Literal["lower", "higher"] = "lower"
    signal: str = "valid_loss"

    def __post_init__(self) -> None:
        require("EarlyStopping", "patience", self.patience, 1, 1_000_000, whole=True)
        require("EarlyStopping", "min_delta", self.min_delta, 0.0, 1e12)
        require("EarlyStopping", "noise", self.noise, 0.0, 1e6)
        if self.better not in ("lower", "higher"):
            raise SettingError(f"EarlyStopping got better={self.better!r}", "'lower' or 'higher'", "Pick one")

    @property
    def reads(self) -> frozenset[str]:
        return frozenset({self.signal, f"{self.signal}_error"} if self.noise else {self.signal})

    def begin(self, strengths: Values, specs: Specs) -> Memory:
        memory = super().begin(strengths, specs)
        return {**memory, "best": np.full(memory["stop"].shape, np.nan)}

    def move(self, strengths: Values, signals: Signals, memory: Memory, specs: Specs) -> tuple[Values, Memory]:
        best = memory["best"]
        value = read(signals, self.signal, best.shape)
        known = np.isfinite(value) & ~memory["stop"]
        gain = best - value if self.better == "lower" else value - best
        spread = np.nan_to_num(read(signals, f"{self.signal}_error", best.shape))
        improved = known & (np.isnan(best) | (gain > np.maximum(self.min_delta, self.noise * spread)))
        count = np.where(improved, 0, np.where(known, memory["count"] + 1, memory["count"]))
        kept = {
            "best": np.where(improved, value, best),
            "keep": improved,
            "error": value - np.where(improved, value, best),
        }
        return {}, {**memory, **kept, **self._stopped(memory, count, self.patience)}

    def why(self, address: str, change: float, error: float) -> str:
        return f"stop: {self.signal} has not improved for {self.patience} measurements"


@controllers.add
@dataclass(frozen=True, repr=False)
class StopAbove(Stopper):
    """Stop when a signal lies above a limit for a number of measurements in a row.

    With ``signal="evidence"`` this is the evidence-based criterion, which needs no validation rows: stop when
    1 - (b/D) sum_k G_k² / Var_k > 0, that is when gradients look like pure noise.

    Attributes:
        limit: value that must not be passed.
        patience: measurements in a row above the limit.
        signal: name of the signal.

    Example:
        >>> StopAbove(signal="evidence")
        StopAbove()

    Reference: Mahsereci, Balles, Lassner, Hennig 2017, arXiv:1703.09580, equation 9.

    """

    limit: float = 0.0
    _: KW_ONLY
    patience: int = 1
    signal: str = "evidence"

    def __post_init__(self) -> None:
        require("StopAbove", "limit", self.limit, -1e12, 1e12)
        require("StopAbove", "patience", self.patience, 1, 1_000_000, whole=True)

    @property
    def reads(self) -> frozenset[str]:
        return frozenset({self.signal})

    def move(self, strengths: Values, signals: Signals, memory: Memory, specs: Specs) -> tuple[Values, Memory]:
        error = read(signals, self.signal, memory["stop"].shape) - self.limit
        known = np.isfinite(error)
        count = np.where(known, np.where(error > 0, memory["count"] + 1, 0), memory["count"])
        return {}, {**memory, "error": error, **self._stopped(memory, count, self.patience)}

    def why(self, address: str, change: float, error: float) -> str:
        return f"stop: {self.signal} passed its limit"
