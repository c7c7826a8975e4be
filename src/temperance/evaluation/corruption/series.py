"""Damage of series: what sensors, clocks and lines do."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from temperance.evaluation.corruption.base import Corruption, Reference
from temperance.records.schema import Rows

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Signal(Corruption):
    """What families on series share: values (b, c, length), in standard deviations of each row's channel."""

    kind = "table"
    basic = False

    def applies(self, reference: Reference) -> bool:
        """Need a channel."""
        return len(reference.schema.series) > 0

    def corrupt(self, rows: Rows, *, level: float, reference: Reference, generator: np.random.Generator) -> Rows:
        """Return rows with damaged series; missing values stay missing."""
        if rows.series is None or not rows.series.shape[2]:
            return rows
        values = rows.series.astype(np.float64)
        damaged = self.bend(values, level=level, spread=_spread(values), generator=generator)
        return rows._replace(series=damaged.astype(np.float32))

    @abstractmethod
    def bend(self, values: Values, *, level: float, spread: Values, generator: np.random.Generator) -> Values:
        """Damage values (b, c, length); ``spread`` (b, c, 1) is their standard deviation."""


@final
@dataclass(frozen=True)
class Jitter(Signal):
    """Noise on every value."""

    name = "series_noise"
    words = "series are noisy (in their own standard deviations)"

    def levels(self, reference: Reference) -> tuple[float, ...]:
        """Return standard deviations."""
        return (0.05, 0.1, 0.25, 0.5, 1.0)

    def bend(self, values: Values, *, level: float, spread: Values, generator: np.random.Generator) -> Values:
        """Return x + level · spread · z, (b, c, length)."""
        return values + level * spread * generator.standard_normal(values.shape)


@final
@dataclass(frozen=True)
class Drift(Signal):
    """A base line that wanders off evenly from the first value to the last."""

    name = "series_drift"
    words = "series drift away (by so many of their standard deviations at the end)"

    def levels(self, reference: Reference) -> tuple[float, ...]:
        """Return standard deviations at the end."""
        return (0.25, 0.5, 1.0, 2.0, 4.0)

    def bend(self, values: Values, *, level: float, spread: Values, generator: np.random.Generator) -> Values:
        """Return x + level · spread · t, up or down per channel, (b, c, length)."""
        way = np.where(generator.random((*values.shape[:2], 1)) < 0.5, -1.0, 1.0)
        return values + level * spread * way * np.linspace(0.0, 1.0, values.shape[2])


@final
@dataclass(frozen=True)
class Gain(Signal):
    """Another amplification of a whole channel."""

    name = "series_scale"
    words = "series are larger or smaller (times so much)"
    chance = True

    def levels(self, reference: Reference) -> tuple[float, ...]:
        """Return factors."""
        return (1.1, 1.25, 1.5, 2.0, 4.0)

    def bend(self, values: Values, *, level: float, spread: Values, generator: np.random.Generator) -> Values:
        """Return x · level or x / level per channel, (b, c, length)."""
        more = generator.random((*values.shape[:2], 1)) < 0.5
        return np.where(more, values * level, values / level)


@final
@dataclass(frozen=True)
class Spikes(Signal):
    """Single values five standard deviations off."""

    name = "series_spikes"
    words = "series have spikes (share of values)"

    def levels(self, reference: Reference) -> tuple[float, ...]:
        """Return shares of values."""
        return (0.005, 0.01, 0.02, 0.05, 0.1)

    def bend(self, values: Values, *, level: float, spread: Values, generator: np.random.Generator) -> Values:
        """Return x ± 5 · spread in the places hit, (b, c, length)."""
        hit, up = generator.random(values.shape) < level, generator.random(values.shape) < 0.5
        return np.where(hit, values + np.where(up, 5.0, -5.0) * spread, values)


@final
@dataclass(frozen=True)
class LostBlock(Signal):
    """One stretch of every channel is missing."""

    name = "series_gap"
    words = "a stretch of the series is missing (share of its length)"

    def levels(self, reference: Reference) -> tuple[float, ...]:
        """Return shares of the length."""
        return (0.05, 0.1, 0.2, 0.3, 0.5)

    def bend(self, values: Values, *, level: float, spread: Values, generator: np.random.Generator) -> Values:
        """Return values with NaN in one stretch per row, the same for all channels, (b, c, length)."""
        return np.where(_stretch(values, level, generator), np.nan, values)


@final
@dataclass(frozen=True)
class StuckSensor(Signal):
    """One stretch of every channel repeats its first value."""

    name = "series_stuck"
    words = "a stretch of the series repeats one value (share of its length)"

    def levels(self, reference: Reference) -> tuple[float, ...]:
        """Return shares of the length."""
        return (0.05, 0.1, 0.2, 0.3, 0.5)

    def bend(self, values: Values, *, level: float, spread: Values, generator: np.random.Generator) -> Values:
        """Return values with the stretch at the value where it begins, (b, c, length)."""
        hit = _stretch(values, level, generator)
        first = hit.argmax(axis=2)[..., None]
        return np.where(hit, np.take_along_axis(values, np.broadcast_to(first, (*values.shape[:2], 1)), axis=2), values)


@final
@dataclass(frozen=True)
class Warp(Signal):
    """A clock that runs too fast or too slow: the series is stretched about its middle, ends repeated."""

    name = "series_warp"
    words = "the clock of the series runs wrong (times so fast)"

    def levels(self, reference: Reference) -> tuple[float, ...]:
        """Return factors."""
        return (1.02, 1.05, 1.1, 1.25, 1.5)

    def bend(self, values: Values, *, level: float, spread: Values, generator: np.random.Generator) -> Values:
        """Return values read at stretched positions, linearly between two, (b, c, length)."""
        length = values.shape[2]
        fast = np.where(generator.random((len(values), 1)) < 0.5, level, 1.0 / level)
        middle = (length - 1) / 2
        place = np.clip(middle + (np.arange(length) - middle) * fast, 0, length - 1)
        return _read(values, place)


@final
@dataclass(frozen=True)
class ClockShift(Signal):
    """A series that begins too early or too late, ends repeated."""

    name = "series_shift"
    words = "the series begins too early or too late (share of its length)"

    def levels(self, reference: Reference) -> tuple[float, ...]:
        """Return shares of the length."""
        return (0.02, 0.05, 0.1, 0.2, 0.4)

    def bend(self, values: Values, *, level: float, spread: Values, generator: np.random.Generator) -> Values:
        """Return values moved along the series, forward or back per row, (b, c, length)."""
        length = values.shape[2]
        way = np.where(generator.random((len(values), 1)) < 0.5, -1.0, 1.0)
        return _read(values, np.clip(np.arange(length) + way * round(level * length), 0, length - 1))


@final
@dataclass(frozen=True)
class LostChannel(Signal):
    """Whole channels are missing."""

    name = "series_channel"
    words = "channels of the series are missing (share of channels)"

    def levels(self, reference: Reference) -> tuple[float, ...]:
        """Return shares of channels."""
        return (0.1, 0.2, 0.3, 0.4, 0.5)

    def applies(self, reference: Reference) -> bool:
        """Need two channels."""
        return len(reference.schema.series) > 1

    def bend(self, values: Values, *, level: float, spread: Values, generator: np.random.Generator) -> Values:
        """Return values with NaN in the channels hit, at least one left per row, (b, c, length)."""
        drawn = generator.random(values.shape[:2])
        hit = (drawn < level) & (drawn < drawn.max(axis=1, keepdims=True))
        return np.where(hit[..., None], np.nan, values)


SERIES: tuple[type[Corruption], ...] = (
    Jitter, Drift, Gain, Spikes, LostBlock, StuckSensor, Warp, ClockShift, LostChannel,
)  # fmt: skip


def _spread(values: Values) -> Values:
    known = np.isfinite(values)
    count = np.maximum(known.sum(axis=2, keepdims=True), 1)
    safe = np.where(known, values, 0.0)
    centre = safe.sum(axis=2, keepdims=True) / count
    found: Values = np.sqrt(np.where(known, np.square(safe - centre), 0.0).sum(axis=2, keepdims=True) / count)
    return found


def _stretch(values: Values, level: float, generator: np.random.Generator) -> NDArray[np.bool_]:
    """Return one stretch per row, (b, 1, length); a longer one holds the shorter one of the same draw."""
    length = values.shape[2]
    size = min(max(1, round(level * length)), length)
    start = np.floor(generator.random((len(values), 1, 1)) * (length - size + 1))
    place = np.arange(length)
    found: NDArray[np.bool_] = (place >= start) & (place < start + size)
    return found


def _read(values: Values, place: Values) -> Values:
    """Return values (b, c, length) read at positions (b, length), linearly between two."""
    low = np.floor(place).astype(np.int64)
    high = np.minimum(low + 1, values.shape[2] - 1)
    share = (place - low)[:, None]
    first, second = (
        np.take_along_axis(values, np.broadcast_to(at[:, None], values.shape), axis=2) for at in (low, high)
    )
    return np.where(share == 0, first, first * (1 - share) + second * share)
