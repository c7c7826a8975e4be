"""Convolutional kernels with weights -1 and 2, dilated, and the share of places where each exceeds a bias. NumPy.

Sums of a few whole numbers are exact in float32 in any order, so the same series gives the same numbers on every
machine, and the exported model the same answers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from itertools import combinations
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

TAPS = 9
KERNELS: NDArray[np.float32] = np.array(
    [[2.0 if tap in chosen else -1.0 for tap in range(TAPS)] for chosen in combinations(range(TAPS), 3)],
    dtype=np.float32,
)  # (84, 9): all ways to place three weights of 2 among six of -1, so that each kernel sums to 0
QUANTUM = 2.0**-10  # of the standard deviation within a series: what series are rounded to
FARTHEST = 64.0  # in the same unit; larger values are cut
MOST_CHANNELS = 9  # that one kernel adds up, as in the paper
_CHUNK = 2**23  # numbers that one step works on
GOLDEN = (np.sqrt(5.0) + 1.0) / 2.0


@dataclass(frozen=True, eq=False)
class Kernels:
    """Fitted kernels: g groups (a dilation, on the series or on its differences), 84 kernels each, m biases each.

    For a series x of L values, centred by its own mean and divided by ``spread``, kernel w, dilation d and bias β::

        conv[t] = Σ_channels Σ_{j=0..8} w[j] · x[t + (j − 4)·d]     x is 0 outside of the series
        feature = share of the places t with conv[t] > β

    Every second kernel counts only the places 4d … L − 4d − 1, where it lies within the series, if there are any.
    Gaps inside a channel are bridged by a straight line; what lies before its first and behind its last value counts as
    no place of the series, if all channels lack it. The biases are quantiles of conv over series drawn from the
    training rows.

    Attributes:
        spread: (c,) standard deviation within a series, per channel.
        dilation: (g,) int64.
        differenced: (g,) bool, the kernels act on x[t + 1] − x[t].
        channels: (g, 84, c) bool, which channels a kernel adds up.
        bias: (g, 84, m) float32.

    Reference: Dempster, Schmidt and Webb 2021, "MiniRocket", arXiv 2012.08791, sections 3.1-3.3; differences: Tan,
    Dempster, Bergmeir and Webb 2022, "MultiRocket", arXiv 2102.00457, section 3.

    """

    spread: NDArray[np.float64]
    dilation: NDArray[np.int64]
    differenced: NDArray[np.bool_]
    channels: NDArray[np.bool_]
    bias: NDArray[np.float32]

    @classmethod
    def fit(cls, series: NDArray[np.float32], *, features: int, seed: int, differences: bool = True) -> Self:
        """Draw channels and biases.

        Args:
            series: (b, c, length) training rows.
            features: about how many features there are in the end.
            seed: of the draw.
            differences: half of the features come from the differences of neighbouring values.

        """
        rng = np.random.Generator(np.random.PCG64(seed))
        spread = _spread(series)
        lengths = known_lengths(series)
        typical = int(np.median(lengths[lengths > 0])) if (lengths > 0).any() else 1
        steps = dilations(typical)
        sides = 2 if differences and typical > 2 else 1
        each = max(1, round(features / (len(KERNELS) * len(steps) * sides)))
        dilation = np.tile(steps, sides)
        differenced = np.repeat(np.arange(sides, dtype=np.int64) > 0, len(steps))
        channels = _channels(rng, len(dilation), series.shape[1])
        kernels = cls(
            spread, dilation, differenced, channels, np.zeros((len(dilation), len(KERNELS), each), np.float32)
        )
        drawn = rng.integers(0, len(series), size=(len(dilation), len(KERNELS)))
        bias = kernels._quantiles(series, drawn)
        return cls(spread, dilation, differenced, channels, bias)

    @property
    def count(self) -> int:
        """Count w of features."""
        return int(self.bias.size)

    def transform(self, series: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the features (b, w) of series (b, c, length) of any length; those of a row without values are 0."""
        out = np.empty((len(series), self.count), dtype=np.float32)
        rows = max(1, _CHUNK // (len(KERNELS) * max(1, series.shape[2])))
        for start in range(0, len(series), rows):
            out[start : start + rows] = self._part(series[start : start + rows])
        return out

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """Return plain arrays."""
        return {f.name: getattr(self, f.name) for f in fields(self)}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Rebuild what ``to_arrays`` gave."""
        return cls(**{f.name: np.asarray(arrays[f.name]) for f in fields(cls)})

    def _part(self, series: NDArray[np.float32]) -> NDArray[np.float32]:
        values, lengths = rounded(series, self.spread)
        out = np.zeros((*self.bias.shape, len(series)), dtype=np.float32)
        for group in range(len(self.dilation)):
            conv, inside = self._conv(values, lengths, group)
            places = np.maximum(inside.sum(axis=-1), 1).astype(np.float32)  # (84, b)
            conv[~inside] = -np.inf
            for i in range(self.bias.shape[2]):
                out[group, :, i] = (conv > self.bias[group, :, i, None, None]).sum(axis=-1, dtype=np.float32) / places
        return np.ascontiguousarray(out.reshape(-1, len(series)).T)

    def _conv(
        self, values: NDArray[np.float32], lengths: NDArray[np.int64], group: int
    ) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Return conv (84, b, L) and the places that count."""
        step = int(self.dilation[group])
        if self.differenced[group]:
            values, lengths = differences(values, lengths)
        b, c, length = values.shape
        reach = TAPS // 2 * step
        padded = np.pad(values, ((0, 0), (0, 0), (reach, reach)))
        shifted = np.stack([padded[..., j * step : j * step + length] for j in range(TAPS)])  # (9, b, c, L)
        weight = KERNELS[:, :, None] * self.channels[group][:, None, :]  # (84, 9, c)
        inputs = shifted.transpose(0, 2, 1, 3).reshape(TAPS * c, b * length)
        conv = (weight.reshape(len(KERNELS), -1).astype(np.float32) @ inputs).reshape(len(KERNELS), b, length)
        place = np.arange(length)
        whole = place < lengths[:, None]
        within = (place >= reach) & (place < lengths[:, None] - reach)
        within = np.where(within.any(axis=1, keepdims=True), within, whole)
        odd = (np.arange(len(KERNELS)) + group) % 2 == 1
        return conv, np.where(odd[:, None, None], within, whole)

    def _quantiles(self, series: NDArray[np.float32], drawn: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return biases (g, 84, m): quantiles at a low-discrepancy sequence, halfway between two possible sums."""
        bias = np.zeros_like(self.bias)
        each = bias.shape[2]
        levels = (np.arange(1, self.count + 1) * GOLDEN % 1.0).reshape(bias.shape)
        for group in range(len(self.dilation)):
            rows, place = np.unique(drawn[group], return_inverse=True)
            values, lengths = rounded(series[rows], self.spread)
            conv, inside = self._conv(values, lengths, group)
            for k in range(len(KERNELS)):
                known = conv[k, place[k]][inside[k, place[k]]]
                if len(known):
                    bias[group, k] = np.quantile(known, levels[group, k].reshape(each))
        between: NDArray[np.float32] = ((np.floor(bias / QUANTUM) + 0.5) * QUANTUM).astype(np.float32)
        return between


def dilations(length: int) -> NDArray[np.int64]:
    """Return the dilations for series of ``length``, whole numbers from 1 to (length − 1) / 8, at most 16: (g,)."""
    largest = max(1.0, (length - 1) / (TAPS - 1))
    exponents = np.linspace(0.0, np.log2(largest), 16)
    return np.unique(np.floor(2.0**exponents + 1e-9).astype(np.int64))


def known_lengths(series: NDArray[np.float32]) -> NDArray[np.int64]:
    """Return up to where each series has a value in some channel: (b, c, length) → (b,); 0: it has none."""
    known: NDArray[np.bool_] = np.asarray(np.isfinite(series).any(axis=1))
    return np.where(known.any(axis=1), known.shape[1] - np.argmax(known[:, ::-1], axis=1), 0).astype(np.int64)


def rounded(series: NDArray[np.float32], spread: NDArray[np.float64]) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Return series centred, scaled, without gaps and rounded to ``QUANTUM``, 0 behind their end; and their lengths.

    Shapes: (b, c, length), (c,) → (b, c, length), (b,).
    """
    lengths = known_lengths(series)
    filled = bridged(np.asarray(series, dtype=np.float64))
    valid = np.arange(series.shape[2]) < lengths[:, None, None]
    count = np.maximum(lengths, 1)[:, None, None]
    mean = np.where(valid, filled, 0.0).sum(axis=2, keepdims=True) / count
    with np.errstate(over="ignore"):
        away = np.clip((filled - mean) / spread[:, None], -FARTHEST, FARTHEST)
    return np.where(valid, np.rint(away / QUANTUM) * QUANTUM, 0.0).astype(np.float32), lengths


def bridged(series: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return series (b, c, length) with a line across gaps, the nearest value at the ends, 0 where none is known."""
    known = np.isfinite(series)
    if known.all():
        return series
    out = np.where(known, series, 0.0)
    place = np.arange(series.shape[2])
    for i, j in np.argwhere(~known.all(axis=2) & known.any(axis=2)):
        there = known[i, j]
        out[i, j] = np.interp(place, place[there], series[i, j, there])
    return out


def differences(
    values: NDArray[np.float32], lengths: NDArray[np.int64]
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Return the steps from each value to the next, (b, c, L − 1), and their counts."""
    if values.shape[2] < 2:
        return np.zeros_like(values), np.minimum(lengths, 1)
    fewer = np.where(lengths > 0, np.maximum(lengths - 1, 1), 0)
    steps = np.diff(values, axis=2)
    return np.where(np.arange(steps.shape[2]) < fewer[:, None, None], steps, np.float32(0.0)), fewer


def _spread(series: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the standard deviation of values around the mean of their own series, (c,); 1 where that is 0."""
    values = np.where(np.isfinite(series), series, np.nan).astype(np.float64)
    known = np.isfinite(values)
    count = np.maximum(known.sum(axis=2, keepdims=True), 1)
    away = np.where(known, values - np.where(known, values, 0.0).sum(axis=2, keepdims=True) / count, 0.0)
    scale = np.sqrt((away**2).sum(axis=(0, 2)) / np.maximum(known.sum(axis=(0, 2)), 1))
    return np.where(scale > 0, scale, 1.0)


def _channels(rng: np.random.Generator, groups: int, count: int) -> NDArray[np.bool_]:
    """Draw which channels each kernel adds up: 2^u of them, u uniform, at most nine; (g, 84, c)."""
    picked = np.ones((groups, len(KERNELS), count), dtype=bool)
    if count == 1:
        return picked
    most = np.log2(min(count, MOST_CHANNELS) + 1)
    sizes = np.floor(2.0 ** rng.uniform(0.0, most, size=picked.shape[:2])).astype(np.int64)
    order = rng.random(picked.shape).argsort(axis=2)
    return order < np.clip(sizes, 1, None)[:, :, None]
