"""A knob of a regularizer, declared: where it may stand, where it does nothing, which way is stronger."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from temperance.records.errors import SettingError
from temperance.records.restore import Restored

Scale = Literal["linear", "log"]
Direction = Literal["up", "down"]
Array = NDArray[np.float64]


@dataclass(frozen=True)
class Strength(Restored):
    """Declare one knob.

    Attributes:
        default: value where the user gives none.
        low: smallest value, inclusive.
        high: largest value, inclusive.
        neutral: value at which the technique does nothing, bit for bit; allowed even outside ``[low, high]``.
        scale: how values are spread between ``low`` and ``high``.
        stronger: which way the technique acts harder.
        adaptive: whether a controller without ``Only`` may move it.
        unit: unit of the value, e.g. ``epochs``; empty for a pure number.
        words: what the knob does, in plain words.

    Example:
        >>> rate = Strength(0.1, low=0.0, high=0.8, neutral=0.0)
        >>> float(rate.to_pressure(0.2)), float(rate.from_pressure(0.5))
        (0.25, 0.4)

    """

    default: float
    low: float
    high: float
    neutral: float
    scale: Scale = "linear"
    stronger: Direction = "up"
    adaptive: bool = True
    unit: str = ""
    words: str = ""

    def __post_init__(self) -> None:
        if not (math.isfinite(self.low) and math.isfinite(self.high) and self.low < self.high):
            raise SettingError(
                f"a strength got low={self.low} and high={self.high}",
                "both must be finite and low < high",
                "Give the range in which the technique makes sense",
            )
        if self.scale not in ("linear", "log") or self.stronger not in ("up", "down"):
            raise SettingError(
                f"a strength got scale={self.scale!r} and stronger={self.stronger!r}",
                "scale is 'linear' or 'log', stronger is 'up' or 'down'",
                "Pick one of these",
            )
        if self.scale == "log" and self.low <= 0:
            raise SettingError(
                f"a strength on a log scale got low={self.low}",
                "low must be above 0 on a log scale",
                "Raise low; a neutral value of 0 may stay outside the range",
            )
        if math.isnan(self.neutral):
            raise SettingError("a strength got neutral=nan", "neutral is a number", "Give the value that does nothing")
        self.check("Strength", "default", self.default)

    def check(self, owner: str, name: str, value: float) -> float:
        """Return ``value`` as a float if it is allowed.

        Args:
            owner: technique that the knob belongs to, for the message.
            name: name of the knob.
            value: number to test.

        Raises:
            SettingError: NaN, not a number, or outside ``[low, high]`` and not neutral.

        """
        try:
            number = float(value)
        except (TypeError, ValueError):
            number = math.nan
        if number == self.neutral or self.low <= number <= self.high:
            return number
        unit = f" {self.unit}" if self.unit else ""
        accepted = f"{name} must lie between {self.low:g} and {self.high:g}{unit}"
        if not self.low <= self.neutral <= self.high:
            accepted += f", or be {self.neutral:g} (does nothing)"
        raise SettingError(
            f"{owner} got {name}={value!r}",
            accepted,
            f"Choose a value in this range; {self.default:g} is the default",
        )

    def clip(self, values: ArrayLike) -> Array:
        """Return ``values`` forced into ``[low, high]``; neutral ones stay as they are, NaN stays NaN."""
        array = np.asarray(values, dtype=np.float64)
        return np.where(array == self.neutral, array, np.minimum(np.maximum(array, self.low), self.high))

    @property
    def weakest(self) -> float:
        """Return the end of the scale on the weak side: neutral if it is on the scale, else the weak bound."""
        if self.low <= self.neutral <= self.high:
            return self.neutral
        return self.low if self.stronger == "up" else self.high

    @property
    def strongest(self) -> float:
        """Return the bound on the strong side."""
        return self.high if self.stronger == "up" else self.low

    def to_pressure(self, values: ArrayLike) -> Array:
        """Return positions in [0, 1]: 0 is neutral, 1 is the strongest value, between them on the scale."""
        array = np.asarray(values, dtype=np.float64)
        span = self._scaled(self.strongest) - self._scaled(self.weakest)
        inside = np.clip(array, self.low, self.high)
        if span == 0:
            return np.where(array == self.neutral, 0.0, 1.0)
        position = (self._scaled(inside) - self._scaled(self.weakest)) / span
        return np.where(array == self.neutral, 0.0, np.clip(position, 0.0, 1.0))

    def from_pressure(self, position: ArrayLike) -> Array:
        """Return the values at positions in [0, 1]; 0 gives ``neutral`` exactly, 1 the strongest exactly."""
        place = np.clip(np.asarray(position, dtype=np.float64), 0.0, 1.0)
        weak, strong = self._scaled(self.weakest), self._scaled(self.strongest)
        between = weak + place * (strong - weak)
        values = np.exp(between) if self.scale == "log" else between
        values = np.clip(values, self.low, self.high)
        return np.where(place == 0, self.neutral, np.where(place == 1, self.strongest, values))

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-safe fields."""
        return asdict(self)

    def _scaled(self, values: ArrayLike) -> Array:
        array = np.asarray(values, dtype=np.float64)
        return np.log(array) if self.scale == "log" else array
