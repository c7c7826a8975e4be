"""Walk strengths down the gradient of the validation loss."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import ClassVar

import numpy as np

from temperance.control.base import Controller, Memory, Specs, Values, adaptive, controllers, require
from temperance.control.signal import Signals, read


@controllers.add
@dataclass(frozen=True, repr=False)
class Hypergradient(Controller):
    """Step each strength against its supplied hypergradient, normalised by its running size.

        g  = d(validation loss) / d(strength) x (strength on a log scale, 1 on a linear one)
        v  = beta v + (1 - beta) g²,      v̂ = v / (1 - beta^t)
        z' = clip(z - rate (z_high - z_low) g / sqrt(v̂)),      z = the value on the strength's scale

    The gradient comes in as the signal ``hypergradient/<address>`` (T1-T2, implicit differentiation …), from rows that
    no other decision uses. A neutral value outside the range begins at the weak bound.

    Attributes:
        rate: share of the strength's range per step.
        beta: memory of the running size, in [0, 1).
        warmup: epochs during which sizes are learned but nothing moves.

    Example:
        >>> Hypergradient(rate=0.01)
        Hypergradient(rate=0.01)

    Reference: Luketina et al. 2016 (T1-T2), arXiv:1511.06727; Lorraine et al. 2020, arXiv:1911.02590.

    """

    moves_adaptive: ClassVar[bool] = True
    rate: float = 0.02
    _: KW_ONLY
    beta: float = 0.9
    warmup: float = 0.0

    def __post_init__(self) -> None:
        require("Hypergradient", "rate", self.rate, 0.0, 1.0)
        require("Hypergradient", "beta", self.beta, 0.0, 0.9999)
        require("Hypergradient", "warmup", self.warmup, 0.0, 1e12)

    @property
    def reads(self) -> frozenset[str]:
        return frozenset({"hypergradient", "epoch"})

    @property
    def awaits(self) -> frozenset[str]:
        return frozenset({"hypergradient"})

    def begin(self, strengths: Values, specs: Specs) -> Memory:
        memory: Memory = {}
        for address in adaptive(strengths, specs):
            shape = strengths[address].shape
            memory[f"size/{address}"], memory[f"count/{address}"] = np.zeros(shape), np.zeros(shape, dtype=np.int64)
        return memory

    def move(self, strengths: Values, signals: Signals, memory: Memory, specs: Specs) -> tuple[Values, Memory]:
        values, kept = dict[str, np.ndarray](), dict(memory)
        for address in adaptive(strengths, specs):
            spec, now = specs[address], strengths[address]
            raw = read(signals, f"hypergradient/{address}", now.shape)
            begun = np.clip(now, spec.low, spec.high)
            slope = raw * begun if spec.scale == "log" else raw
            known = np.isfinite(slope)
            size = self.beta * memory[f"size/{address}"] + (1.0 - self.beta) * np.where(known, slope, 0.0) ** 2
            count = memory[f"count/{address}"] + known
            rms = np.sqrt(size / (1.0 - self.beta ** np.maximum(count, 1)))
            place = np.log(begun) if spec.scale == "log" else begun
            span = np.log(spec.high / spec.low) if spec.scale == "log" else spec.high - spec.low
            moved = place - self.rate * span * np.where(known, slope, 0.0) / np.where(rms > 0, rms, 1.0)
            warm = np.nan_to_num(read(signals, "epoch", now.shape)) >= self.warmup
            free = known & warm & (slope != 0)
            values[address] = np.where(free, np.exp(moved) if spec.scale == "log" else moved, now)
            kept[f"size/{address}"] = np.where(known, size, memory[f"size/{address}"])
            kept[f"count/{address}"] = count
        return values, kept

    def why(self, address: str, change: float, error: float) -> str:
        return "a step down the gradient of the validation loss"
