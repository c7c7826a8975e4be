"""Hold any signal at a target: strengths as Lagrange multipliers."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from fnmatch import fnmatchcase
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from temperance.control.base import Controller, Memory, Specs, Values, adaptive, controllers, require, shape_of
from temperance.control.nupi import Init, nupi
from temperance.control.signal import Signals, read
from temperance.control.strength import Strength
from temperance.records.errors import SettingError

Array = NDArray[np.float64]
_HOLD: dict[str, Any] = {"relative": True, "space": "log", "kp": 2.0, "ki": 0.1, "average": 0.8, "growth": 1.0}
_TOLD_BY = {"kl": "kl_anchor*"}  # signals that a technique tells of itself, and the strengths of that technique


@controllers.add
@dataclass(frozen=True, repr=False)
class Constraint(Controller):
    """Raise strengths while a constraint is broken: the augmented Lagrangian as a nuPI rule.

        e  = signal - target          (target - signal for ``at_least``)
        s' = clip(s + c (ki e + kp (xi - xi_before)))        in the strength's value, or in its logarithm

    With nu = 0 and ``init="zeros"``, kp is the weight of the quadratic term and ki the step of the multiplier. ``c``
    begins at 1 and grows by ``growth`` only while the constraint is broken by more than ``tolerance``.

    Attributes:
        target: wanted value of the signal.
        kind: ``at_most``, ``at_least`` or ``equal``.
        kp: proportional gain.
        ki: integral gain.
        nu: smoothing of the error, in [0, 1).
        growth: factor of ``c`` per infeasible measurement; 1 keeps it.
        most: largest ``c``.
        tolerance: smaller errors count as feasible.
        space: move the ``value`` or its ``log``; by the log a strength reacts the same at every size.
        signal: name of the signal.
        init: first step of the rule, see ``control.nupi``.
        relative: the error is a share, (signal − target) / max(|signal|, |target|): −1 to 1 where signs are the same.
        at: addresses or patterns of the strengths that it moves, e.g. ``"kl_anchor*"``; one or several. Where none is
            given, or none of the strengths that it may move fits, all of these move.
        average: β in [0, 1): the error is that of the running mean m ← β·m + (1 − β)·signal. The share of a noisy
            signal would hold its geometric mean, which lies below the mean.

    Example:
        >>> Constraint(target=5.0, signal="weight_norm")
        Constraint(target=5.0, signal='weight_norm')

    Reference: Sohrabi et al. 2024, arXiv:2406.04558; Franke et al. 2024 (CPR), arXiv:2311.09058.

    """

    moves_adaptive: ClassVar[bool] = True
    target: float = 0.0
    _: KW_ONLY
    kind: Literal["at_most", "at_least", "equal"] = "at_most"
    kp: float = 0.0
    ki: float = 0.01
    nu: float = 0.0
    growth: float = 1.01
    most: float = 100.0
    tolerance: float = 1e-4
    space: Literal["value", "log"] = "value"
    signal: str = "gap"
    init: Init = "sgd"
    relative: bool = False
    at: tuple[str, ...] = ()
    average: float = 0.0

    @classmethod
    def hold(cls, signal: str, target: float, **settings: Any) -> Constraint:
        """Return the rule with settings that hold a signal of any size near its target within a short training.

        The error is a share and the strength moves by its logarithm, so neither unit matters. It is the
        same rule; ``benchmarks/forgetting`` says how close it holds. ``kl`` is held by the strength of ``KLAnchor``,
        which tells it: the recipe's other strengths stay. ``at=()`` moves all of them.

        Args:
            signal: name of the signal.
            target: wanted value, above 0.
            **settings: others of this class, instead of these.

        Raises:
            SettingError: a target that is not above 0.

        """
        require("Constraint.hold", "target", target, -1e12, 1e12)
        if target <= 0:
            raise SettingError(
                f"Constraint.hold got target={target!r}", "the error is a share of the target, so it is above 0",
                "Give a target above 0, or write Constraint(target, relative=False, …) for other signals",
            )  # fmt: skip
        at = (_TOLD_BY[signal],) if signal in _TOLD_BY else ()
        return cls(target, **{**_HOLD, "signal": signal, "at": at, **settings})

    def __post_init__(self) -> None:
        object.__setattr__(self, "at", (self.at,) if isinstance(self.at, str) else tuple(self.at))
        for name in ("kp", "ki", "tolerance"):
            require("Constraint", name, getattr(self, name), 0.0, 1e12)
        require("Constraint", "target", self.target, -1e12, 1e12)
        require("Constraint", "nu", self.nu, 0.0, 0.999)
        require("Constraint", "average", self.average, 0.0, 0.999)
        require("Constraint", "growth", self.growth, 1.0, 10.0)
        require("Constraint", "most", self.most, 1.0, 1e12)
        if self.relative and self.target == 0:
            raise SettingError("Constraint got relative=True and target=0", "a share of a target", "Set a target")
        if self.kind not in ("at_most", "at_least", "equal") or self.space not in ("value", "log"):
            raise SettingError(
                f"Constraint got kind={self.kind!r} and space={self.space!r}",
                "kind is 'at_most', 'at_least' or 'equal', space is 'value' or 'log'",
                "Pick one of these",
            )

    @property
    def reads(self) -> frozenset[str]:
        return frozenset({self.signal})

    def begin(self, strengths: Values, specs: Specs) -> Memory:
        shape = shape_of(strengths)
        unknown = np.full(shape, np.nan)
        flags = dict.fromkeys(("saturated", "limit_now"), np.zeros(shape, dtype=bool))
        return {"mean": unknown, "xi": unknown, "error": unknown, "c": np.ones(shape), **flags}

    def move(self, strengths: Values, signals: Signals, memory: Memory, specs: Specs) -> tuple[Values, Memory]:
        c = memory["c"]
        now, before = read(signals, self.signal, c.shape), memory["mean"]
        mean = np.where(np.isnan(before), now, self.average * before + (1.0 - self.average) * now)
        error = mean - self.target
        if self.relative:
            error = error / np.maximum(np.abs(mean), abs(self.target))
        error = -error if self.kind == "at_least" else error
        broken = (np.abs(error) if self.kind == "equal" else error) > self.tolerance
        delta, xi = nupi(error, memory["xi"], kp=self.kp, ki=self.ki, nu=self.nu, init=self.init)
        values: Values = {}
        stuck = np.zeros(c.shape, dtype=bool)
        for address in self._moved(adaptive(strengths, specs)):
            values[address], at_bound = stepped(strengths[address], c * delta, specs[address], log=self.space == "log")
            stuck |= at_bound
        grown = np.where(broken, np.minimum(c * self.growth, self.most), c)
        stuck = np.where(np.isfinite(error), stuck, memory["saturated"])
        limit_now = stuck & ~memory["saturated"]
        known = np.where(np.isnan(now), before, mean)
        return values, {"mean": known, "xi": xi, "error": error, "c": grown, "saturated": stuck, "limit_now": limit_now}

    def _moved(self, addresses: list[str]) -> list[str]:
        return [one for one in addresses if any(fnmatchcase(one, pattern) for pattern in self.at)] or addresses

    def why(self, address: str, change: float, error: float) -> str:
        return f"{self.signal} {'breaks' if error > 0 else 'keeps'} its target"


def stepped(value: Array, delta: Array, spec: Strength, *, log: bool) -> tuple[Array, Array]:
    """Return ``value`` made stronger by ``delta``, in its value or its logarithm, and where a bound stopped it.

    A neutral value outside the range begins at the weak bound, and a step past the weak bound goes back to neutral.
    """
    upward = delta if spec.stronger == "up" else -delta
    begun = np.clip(value, spec.low, spec.high)
    with np.errstate(divide="ignore", over="ignore"):
        raw = np.exp(np.log(begun) + upward) if log else begun + upward
    past_weak = raw < spec.low if spec.stronger == "up" else raw > spec.high
    outside = not spec.low <= spec.neutral <= spec.high
    moved = np.where(past_weak & outside, spec.neutral, np.clip(raw, spec.low, spec.high))
    still = (delta == 0) | ((value == spec.neutral) & outside & (delta < 0))
    return np.where(still, value, moved), (delta != 0) & ((raw > spec.high) | (raw < spec.low))
