"""Schedules: strengths that follow the phase of the training.

Every schedule gives a factor of the value the user set: 0 is neutral (exactly), 1 is the user's value (exactly), more
than 1 is stronger, up to the declared bound.

    value = neutral + factor (set - neutral)      or  set / factor  where neutral is infinite
"""

from __future__ import annotations

import math
from abc import abstractmethod
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from temperance.control.base import Controller, Memory, Specs, Values, adaptive, controllers, inside, nested, require
from temperance.control.signal import Signals, read
from temperance.control.strength import Strength
from temperance.records.errors import SettingError

Array = NDArray[np.float64]
MOST = 1e6  # largest factor a schedule accepts


@dataclass(frozen=True, repr=False)
class Schedule(Controller):
    """A factor that depends on one signal of phase. Subclasses write ``factor``."""

    @property
    def signal(self) -> str:
        """Return the name of the phase signal."""
        return "progress"

    @property
    def reads(self) -> frozenset[str]:
        return frozenset({self.signal})

    @abstractmethod
    def factor(self, phase: Array) -> Array:
        """Return the factor at ``phase``; NaN stays NaN."""

    def begin(self, strengths: Values, specs: Specs) -> Memory:
        return nested("start", {address: strengths[address].copy() for address in adaptive(strengths, specs)})

    def move(self, strengths: Values, signals: Signals, memory: Memory, specs: Specs) -> tuple[Values, Memory]:
        phase = read(signals, self.signal)
        if np.isnan(phase).all():
            return {}, memory
        factor = np.where(np.isnan(phase), np.nan, self.factor(phase))
        return {a: scaled(start, factor, specs[a]) for a, start in inside("start", memory).items()}, memory

    def why(self, address: str, change: float, error: float) -> str:
        return f"schedule {type(self).__name__.lower()} over {self.signal}"


def scaled(start: Array, factor: Array, spec: Strength) -> Array:
    """Return ``start`` made ``factor`` times as strong; exactly neutral at 0, exactly ``start`` at 1."""
    if math.isinf(spec.neutral):
        value = start / np.where(factor == 0, 1.0, factor)
    else:
        value = spec.neutral + factor * (start - spec.neutral)
    return np.where(factor == 0, spec.neutral, np.where(factor == 1, start, value))


def _phases(owner: str, **values: float) -> None:
    for name, value in values.items():
        require(owner, name, value, 0.0, 1.0)


def _factors(owner: str, **values: float) -> None:
    for name, value in values.items():
        require(owner, name, value, 0.0, MOST)


@controllers.add
@dataclass(frozen=True, repr=False)
class Linear(Schedule):
    """Go from one factor to another in a straight line: start + (end - start) progress.

    Attributes:
        start: factor at the beginning.
        end: factor at the end.

    Example:
        >>> float(Linear().factor(np.array(0.25)))
        0.25

    """

    start: float = 0.0
    end: float = 1.0

    def __post_init__(self) -> None:
        _factors(type(self).__name__, start=self.start, end=self.end)

    def factor(self, phase: Array) -> Array:
        return self.start + (self.end - self.start) * np.clip(phase, 0.0, 1.0)


@controllers.add
@dataclass(frozen=True, repr=False)
class Cosine(Linear):
    """Go from one factor to another along half a cosine: end + (start - end)(1 + cos(pi progress)) / 2.

    DINO raises weight decay from 0.04 to 0.4 this way: ``WeightDecay(0.04)`` with ``Cosine(1, 10)``.

    Reference: Caron et al. 2021, arXiv:2104.14294.

    """

    def factor(self, phase: Array) -> Array:
        wave = (1.0 + np.cos(np.pi * np.clip(phase, 0.0, 1.0))) / 2.0
        return self.end + (self.start - self.end) * wave


@controllers.add
@dataclass(frozen=True, repr=False)
class Steps(Schedule):
    """Change the factor at given points of the training.

    Attributes:
        at: points in (0, 1], rising.
        factors: factor before the first point and after each.

    Example:
        >>> Steps(at=(0.5,), factors=(1.0, 0.1)).factor(np.array([0.4, 0.5])).tolist()
        [1.0, 0.1]

    """

    at: tuple[float, ...] = (0.5,)
    factors: tuple[float, ...] = (1.0, 0.0)

    def __post_init__(self) -> None:
        object.__setattr__(self, "at", tuple(self.at))
        object.__setattr__(self, "factors", tuple(self.factors))
        for point in self.at:
            _phases("Steps", at=point)
        for factor in self.factors:
            _factors("Steps", factors=factor)
        if len(self.factors) != len(self.at) + 1 or list(self.at) != sorted(set(self.at)):
            raise SettingError(
                f"Steps got at={self.at} and factors={self.factors}",
                "at rises and there is one factor more than points",
                "Give the factor before the first point too",
            )

    def factor(self, phase: Array) -> Array:
        known = np.nan_to_num(phase)
        return np.asarray(self.factors)[np.searchsorted(np.asarray(self.at), known, side="right")]


@controllers.add
@dataclass(frozen=True, repr=False)
class Early(Schedule):
    """Act in the first part of the training only.

    Attributes:
        cutoff: share of the training after which the strength is neutral.
        shape: ``constant`` until the cutoff, or ``linear`` down to it.

    Use when: the net underfits (early dropout), or augmentation only needs to set the direction.

    Reference: Liu et al. 2023, arXiv:2303.01500 (early dropout); Golatkar et al. 2019, arXiv:1905.13277.

    """

    cutoff: float = 0.3
    shape: Literal["constant", "linear"] = "constant"

    def __post_init__(self) -> None:
        require("Early", "cutoff", self.cutoff, 1e-9, 1.0)
        if self.shape not in ("constant", "linear"):
            raise SettingError(f"Early got shape={self.shape!r}", "'constant' or 'linear'", "Pick one")

    def factor(self, phase: Array) -> Array:
        level = 1.0 - phase / self.cutoff if self.shape == "linear" else np.ones_like(phase)
        return np.where(phase < self.cutoff, level, 0.0)


@controllers.add
@dataclass(frozen=True, repr=False)
class Late(Schedule):
    """Act in the last part of the training only.

    Attributes:
        cutoff: share of the training before which the strength is neutral.

    Reference: Liu et al. 2023, arXiv:2303.01500 (late dropout).

    """

    cutoff: float = 0.5

    def __post_init__(self) -> None:
        _phases("Late", cutoff=self.cutoff)

    def factor(self, phase: Array) -> Array:
        return np.where(phase >= self.cutoff, 1.0, 0.0)


@controllers.add
@dataclass(frozen=True, repr=False)
class Curriculum(Schedule):
    """Rise from neutral to the set value by an exponential: factor = 1 - exp(-gamma progress).

    With theta the kept share at the end, dropout is then 1 - ((1 - theta) exp(-gamma t) + theta).

    Attributes:
        gamma: speed; 10 reaches nearly the full strength after a third of the training.

    Reference: Morerio et al. 2017, arXiv:1703.06229, equation 2.

    """

    gamma: float = 10.0

    def __post_init__(self) -> None:
        require("Curriculum", "gamma", self.gamma, 1e-9, MOST)

    def factor(self, phase: Array) -> Array:
        return -np.expm1(-self.gamma * np.maximum(phase, 0.0))


@controllers.add
@dataclass(frozen=True, repr=False)
class Restarts(Linear):
    """Repeat a half cosine from ``start`` to ``end``.

    Attributes:
        cycles: number of repeats.

    Reference: Loshchilov & Hutter 2017, arXiv:1608.03983.

    """

    cycles: int = 3

    def __post_init__(self) -> None:
        super().__post_init__()
        require("Restarts", "cycles", self.cycles, 1, MOST, whole=True)

    def factor(self, phase: Array) -> Array:
        place = np.clip(phase, 0.0, 1.0) * self.cycles
        within = np.where(place >= self.cycles, 1.0, place - np.floor(place))
        return self.end + (self.start - self.end) * (1.0 + np.cos(np.pi * within)) / 2.0


@controllers.add
@dataclass(frozen=True, repr=False)
class LikeRate(Linear):
    """Follow the learning rate: start + (end - start) lr / max lr.

    Reference: Zhuang et al. 2022 (GSAM), arXiv:2203.08065: the radius is proportional to the learning rate.

    """

    @property
    def signal(self) -> str:
        return "lr"


@controllers.add
@dataclass(frozen=True, repr=False)
class Staged(Linear):
    """Go from one factor to another in equal stages: each holds its factor, the last holds ``end``.

    Attributes:
        stages: number of stages.

    Reference: Tan & Le 2021 (EfficientNetV2), arXiv:2104.00298, algorithm 1.

    """

    stages: int = 4

    def __post_init__(self) -> None:
        super().__post_init__()
        require("Staged", "stages", self.stages, 2, MOST, whole=True)

    def factor(self, phase: Array) -> Array:
        stage = np.minimum(np.floor(np.clip(phase, 0.0, 1.0) * self.stages), self.stages - 1)
        return self.start + (self.end - self.start) * stage / (self.stages - 1)
