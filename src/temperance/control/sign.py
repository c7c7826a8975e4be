"""The slow, robust rule of ADA: a fixed step in the direction of the error's sign."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import ClassVar

import numpy as np

from temperance.control.base import Controller, Memory, Specs, Values, controllers, require
from temperance.control.pressure import begin_pressure, under_pressure
from temperance.control.signal import Signals, read


@controllers.add
@dataclass(frozen=True, repr=False)
class SignFeedback(Controller):
    """Ramp all adaptive strengths up while a signal is above its target and down while it is below.

    Formula, once per measurement, with ``u`` the shared pressure of ``control.pressure``:

        u' = clip(u + sign(signal - target) x (epochs since the last measurement) / ramp)

    Attributes:
        target: wanted value of the signal.
        ramp: epochs from 0 to 1 when the sign never changes; ADA takes 500,000 images, small data 10 to 20 epochs.
        low: smallest pressure; -1 is neutral, 0 is where the user set the strengths.
        high: largest pressure.
        signal: name of the signal; ADA reads the share of training scores above 0.

    Use when: the signal is noisy and its scale unknown.
    Avoid when: the training is short: the ramp comes late and overshoots.

    Example:
        >>> SignFeedback(target=0.6, signal="overfitting")
        SignFeedback(target=0.6, signal='overfitting')

    Reference: Karras et al. 2020, arXiv:2006.06676, section 3.

    """

    moves_adaptive: ClassVar[bool] = True
    target: float = 0.0
    _: KW_ONLY
    ramp: float = 15.0
    low: float = -1.0
    high: float = 1.0
    signal: str = "gap"

    def __post_init__(self) -> None:
        require(type(self).__name__, "target", self.target, -1e12, 1e12)
        require(type(self).__name__, "ramp", self.ramp, 1e-6, 1e9)
        require(type(self).__name__, "low", self.low, -1.0, 0.0)
        require(type(self).__name__, "high", self.high, 0.0, 1.0)

    @property
    def reads(self) -> frozenset[str]:
        return frozenset({self.signal, "epoch"})

    def begin(self, strengths: Values, specs: Specs) -> Memory:
        memory = begin_pressure(strengths, specs)
        shape = memory["pressure"].shape
        unknown = np.full(shape, np.nan)
        flags = dict.fromkeys(("saturated", "limit_now"), np.zeros(shape, dtype=bool))
        return {**memory, "last_epoch": np.zeros(shape), "error": unknown, **flags}

    def move(self, strengths: Values, signals: Signals, memory: Memory, specs: Specs) -> tuple[Values, Memory]:
        pressure = memory["pressure"]
        error = read(signals, self.signal, pressure.shape) - self.target
        epoch = read(signals, "epoch", pressure.shape)
        known = np.isfinite(error) & np.isfinite(epoch)
        passed = np.maximum(epoch - memory["last_epoch"], 0.0)
        low, high = np.maximum(self.low, memory["floor"]), np.minimum(self.high, memory["ceiling"])
        wanted = np.where(known, pressure + np.sign(error) * passed / self.ramp, pressure)
        after = np.where(known, np.clip(wanted, low, high), pressure)
        stuck = np.where(known, after != wanted, memory["saturated"])
        kept = {
            "pressure": after,
            "last_epoch": np.where(known, epoch, memory["last_epoch"]),
            "error": error,
            "saturated": stuck,
            "limit_now": known & stuck & ~memory["saturated"],
        }
        return under_pressure(after, strengths, memory, specs), {**memory, **kept}

    def why(self, address: str, change: float, error: float) -> str:
        return f"{self.signal} is {'above' if error > 0 else 'below'} its target"
