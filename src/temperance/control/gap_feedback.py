"""Hold the generalization gap at a target by one shared regularization pressure."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from temperance.control.base import Controller, Memory, Specs, Values, controllers, require
from temperance.control.nupi import Init, nupi
from temperance.control.pressure import begin_pressure, limited, under_pressure
from temperance.control.signal import Signals, read
from temperance.records.errors import SettingError

Array = NDArray[np.float64]
LR_TOP = 0.999  # from here on the learning rate counts as arrived at its maximum


@controllers.add
@dataclass(frozen=True, repr=False)
class GapFeedback(Controller):
    """Raise all adaptive strengths while the gap is above its target, lower them while it is below.

    Formula (nuPI, see ``control.nupi``), once per measured gap:

        e  = gap - target,  shrunk towards 0 by max(dead_band, noise x gap_error)
        u' = clip(u + ki e + kp (xi - xi_before)),   at most ``rate`` per epoch

    ``u`` is the shared pressure of ``control.pressure``. It holds while the learning rate warms up.

    Attributes:
        target: wanted gap (or, with ``reference="best"``, wanted excess over the gap at the best validation loss).
        kp: proportional gain.
        ki: integral gain.
        nu: smoothing of the error, in [0, 1).
        rate: largest change of the pressure per epoch.
        dead_band: errors smaller than this move nothing.
        noise: errors smaller than this many standard errors of the gap move nothing.
        low: smallest pressure; -1 is neutral, 0 is where the user set the strengths.
        high: largest pressure; 1 is the strongest that is declared.
        reference: ``fixed``, or ``best``: the gap at the best validation loss so far, for noisy labels.
        signal: name of the signal that is held; ``<signal>_error`` is its standard error.
        warmup: hold while the learning rate rises for the first time.
        init: first step of the rule, see ``control.nupi``.

    The defaults settle wherever a full turn of the pressure moves the gap by 0.2 to 3, at once or with a lag (tested);
    kp = 1 without smoothing swings without end where the gap answers at once with 1 or more.

    Use when: rows for the controller can be spared (some hundreds), and a good strength is not known.
    Avoid when: labels are very noisy (set ``reference="best"``: the best gap is then not 0), or fewer than 200 rows.

    Example:
        >>> GapFeedback(target=0.02)
        GapFeedback(target=0.02)

    Reference: Sohrabi et al. 2024, arXiv:2406.04558 (the rule); Shao et al. 2020, arXiv:2004.05988 (use on a loss).

    """

    moves_adaptive: ClassVar[bool] = True
    target: float = 0.0
    _: KW_ONLY
    kp: float = 0.5
    ki: float = 0.15
    nu: float = 0.5
    rate: float = 0.15
    dead_band: float = 0.0
    noise: float = 1.0
    low: float = -1.0
    high: float = 0.8
    reference: Literal["fixed", "best"] = "fixed"
    signal: str = "gap"
    warmup: bool = True
    init: Init = "sgd"

    def __post_init__(self) -> None:
        for name in ("kp", "ki", "dead_band", "noise", "rate"):
            require(type(self).__name__, name, getattr(self, name), 0.0, 1e6)
        require(type(self).__name__, "nu", self.nu, 0.0, 0.999)
        require(type(self).__name__, "target", self.target, -1e12, 1e12)
        require(type(self).__name__, "low", self.low, -1.0, 0.0)
        require(type(self).__name__, "high", self.high, 0.0, 1.0)
        if self.reference not in ("fixed", "best") or self.init not in ("sgd", "zeros"):
            raise SettingError(
                f"GapFeedback got reference={self.reference!r}, init={self.init!r}",
                "reference is 'fixed' or 'best', init is 'sgd' or 'zeros'",
                "Pick one of these",
            )

    @property
    def reads(self) -> frozenset[str]:
        names = {self.signal, f"{self.signal}_error", "epoch"}
        names |= {"lr"} if self.warmup else set()
        return frozenset(names | ({"valid_loss"} if self.reference == "best" else set()))

    def begin(self, strengths: Values, specs: Specs) -> Memory:
        memory = begin_pressure(strengths, specs)
        unknown = np.full(memory["pressure"].shape, np.nan)
        names = ("xi", "error", "last_lr", "best_loss", "best_gap")
        false = np.zeros(unknown.shape, dtype=bool)
        return {**memory, **dict.fromkeys(names, unknown), "warm": false, "saturated": false, "limit_now": false}

    def move(self, strengths: Values, signals: Signals, memory: Memory, specs: Specs) -> tuple[Values, Memory]:
        pressure = memory["pressure"]
        shape = pressure.shape
        memory = self._warmed(signals, memory)
        if not np.isfinite(signals.get(self.signal, np.nan)).any():
            return {}, {**memory, "limit_now": np.zeros(shape, dtype=bool)}
        error, memory = self._error(signals, memory)
        banded = np.where(memory["warm"] | (not self.warmup), self._shrunk(error, signals), np.nan)
        delta, xi = nupi(banded, memory["xi"], kp=self.kp, ki=self.ki, nu=self.nu, init=self.init)
        known = np.isfinite(banded)
        slow, base = limited(pressure + delta, pressure, memory, read(signals, "epoch", shape), self.rate)
        low, high = np.maximum(self.low, memory["floor"]), np.minimum(self.high, memory["ceiling"])
        after = np.where(known, np.clip(slow, low, high), pressure)
        stuck = known & ((slow > high) | (slow < low))
        limit_now = stuck & ~memory["saturated"]
        kept = {"xi": xi, "error": error, "saturated": stuck, "limit_now": limit_now, **base}
        return under_pressure(after, strengths, memory, specs), {**memory, **kept, "pressure": after}

    def why(self, address: str, change: float, error: float) -> str:
        side = "above" if error > 0 else "below" if error < 0 else "at"
        return f"the {self.signal} is {side} its target"

    def _warmed(self, signals: Signals, memory: Memory) -> Memory:
        """Return the memory with ``warm`` set for members whose learning rate arrived at its top or does not rise.

        It does not rise where two measurements of the gap in a row saw no larger rate.
        """
        last = memory["last_lr"]
        if memory["warm"].all():
            return memory
        lr = read(signals, "lr", last.shape)
        measured = np.isfinite(read(signals, self.signal, last.shape))
        risen = np.isnan(lr) | (lr >= LR_TOP) | (np.isfinite(last) & (lr <= last))
        arrived = (lr >= LR_TOP) | (measured & risen)
        return {**memory, "warm": memory["warm"] | arrived, "last_lr": np.where(measured, lr, last)}

    def _error(self, signals: Signals, memory: Memory) -> tuple[Array, Memory]:
        shape = memory["pressure"].shape
        gap = read(signals, self.signal, shape)
        if self.reference == "fixed":
            return gap - self.target, memory
        loss = read(signals, "valid_loss", shape)
        best, best_gap = memory["best_loss"], memory["best_gap"]
        better = np.isfinite(loss) & np.isfinite(gap) & (np.isnan(best) | (loss < best))
        best, best_gap = np.where(better, loss, best), np.where(better, gap, best_gap)
        return gap - best_gap - self.target, {**memory, "best_loss": best, "best_gap": best_gap}

    def _shrunk(self, error: Array, signals: Signals) -> Array:
        spread = np.nan_to_num(read(signals, f"{self.signal}_error", error.shape))
        band = np.maximum(self.dead_band, self.noise * np.abs(spread))
        shrunk: Array = np.sign(error) * np.maximum(np.abs(error) - band, 0.0)
        return shrunk
