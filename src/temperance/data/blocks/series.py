"""Series as numbers: random convolutional kernels, in the directions that training rows span, and plain statistics."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from temperance.data.blocks.base import BLOCKS, Arrays, Block
from temperance.data.blocks.kernels import Kernels, known_lengths
from temperance.records.errors import SettingError
from temperance.records.schema import Rows, Schema

FEATURES, LEAST_FEATURES = 10_000, 1000
WORK = 2e10  # comparisons of all training rows that a fit may cost; more rows or longer series get fewer features
DIRECTIONS = 256  # wide numbers: all directions that so many rows span, the largest ones of more
NUMBERS = 32  # of them that nets and trees see
ROWS_FOR_DIRECTIONS = 2000  # evenly taken
STATISTICS = ("mean", "spread", "lowest", "highest", "first", "last", "slope", "known")
PLAIN = 0.5  # length of a row's means among its wide numbers, where its directions have 1
REMEMBERED = 8  # results kept, for the models of a fold that ask for the same rows again


@BLOCKS.add
class SeriesBlock(Block):
    """All channels of the rows' series.

    Its numbers are ``STATISTICS`` of each channel and the length, in standard deviations of the training rows, then the
    first ``NUMBERS`` directions of the kernels' features. ``wide`` gives the means and the length, which the kernels do
    not see, and up to ``DIRECTIONS`` directions: features (b, w) less their training mean and over their training
    deviation, in the principal directions of the training rows, over the root of their whole variance. A linear model
    with an L2 penalty finds the same there as on all features, if these are all directions that its rows span.

    Args:
        columns: names of the channels.
        kernels: see ``Kernels``.
        middle: (w,) float32, training means of the features.
        directions: (w, r) float32.
        mean, factor: (s,) float64, of the statistics; a factor of 0 leaves one out.
        scale: the numbers of directions are multiplied by it: their largest deviation becomes 1.

    """

    def __init__(
        self, columns: tuple[str, ...], kernels: Kernels, middle: NDArray[np.float32], directions: NDArray[np.float32],
        mean: NDArray[np.float64], factor: NDArray[np.float64], scale: float,
    ) -> None:  # fmt: skip
        self.columns, self.kernels, self.middle, self.directions = columns, kernels, middle, directions
        self.mean, self.factor, self.scale = mean, factor, scale
        self._wide: NDArray[np.float64] | None = None
        self._memory: dict[bytes, NDArray[np.float32]] = {}

    @classmethod
    def fit(cls, rows: Rows, schema: Schema) -> tuple[Self, ...]:
        if rows.series is None or not schema.series:
            return ()
        series = rows.series
        budget = WORK / max(1, series.size / series.shape[1])
        kernels = Kernels.fit(series, features=int(np.clip(budget, LEAST_FEATURES, FEATURES)), seed=0)
        sample = np.unique(np.linspace(0, len(series) - 1, min(len(series), ROWS_FOR_DIRECTIONS)).astype(np.int64))
        there = sample[known_lengths(series[sample]) > 0]
        features = kernels.transform(series[there if len(there) else sample]).astype(np.float64)
        middle, directions, scale = _directions(features)
        mean, factor = _standard(statistics(series), kernels.spread)
        return (cls(tuple(c.name for c in schema.series), kernels, middle, directions, mean, factor, scale),)

    @property
    def names(self) -> tuple[str, ...]:
        told = [f"{name}: {one}" for name in self.columns for one in STATISTICS] + ["length of the series"]
        kept = [name for name, factor in zip(told, self.factor, strict=True) if factor]
        count = min(NUMBERS, self.directions.shape[1])
        return (*kept, *(f"shape of the series, direction {j + 1}" for j in range(count)))

    @property
    def sources(self) -> tuple[str, ...]:
        return self.columns

    def transform(self, rows: Rows) -> NDArray[np.float32]:
        series = self._series(rows)
        shapes = self._shapes(series)[:, :NUMBERS] * np.float32(self.scale)
        return np.concatenate([self._plain(series), np.clip(shapes, -10.0, 10.0)], axis=1)

    def wide(self, rows: Rows) -> NDArray[np.float32]:
        series = self._series(rows)
        plain = self._plain(series)[:, self._unseen]
        return np.concatenate([plain * np.float32(PLAIN / max(1, plain.shape[1]) ** 0.5), self._shapes(series)], axis=1)

    @property
    def _unseen(self) -> NDArray[np.intp]:
        """Places, among the statistics that vary, of what the kernels do not see: the mean of a channel, the length."""
        told = np.arange(len(self.factor))
        kept = (told % len(STATISTICS) == 0)[self.factor > 0]
        return np.flatnonzero(kept)

    def _plain(self, series: NDArray[np.float32]) -> NDArray[np.float32]:
        told = statistics(series)
        found = np.where(np.isfinite(told), told - self.mean, 0.0) * self.factor
        return np.clip(found[:, self.factor > 0], -10.0, 10.0).astype(np.float32)

    def _shapes(self, series: NDArray[np.float32]) -> NDArray[np.float32]:
        key = hashlib.blake2b(np.ascontiguousarray(series).data, digest_size=16).digest() + str(series.shape).encode()
        if key not in self._memory:
            while len(self._memory) >= REMEMBERED:
                del self._memory[next(iter(self._memory))]
            self._memory[key] = self._coordinates(series)
        return self._memory[key]

    @property
    def wide_width(self) -> int:
        """Count of the wide numbers."""
        return len(self._unseen) + int(self.directions.shape[1])

    def to_arrays(self) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
        arrays: dict[str, NDArray[Any]] = {
            "middle": self.middle, "directions": self.directions, "mean": self.mean, "factor": self.factor,
        }  # fmt: skip
        arrays |= {f"kernels.{name}": array for name, array in self.kernels.to_arrays().items()}
        return arrays, {"columns": list(self.columns), "scale": self.scale}

    @classmethod
    def from_arrays(cls, arrays: Arrays, settings: Mapping[str, Any]) -> Self:
        inner = {key.removeprefix("kernels."): array for key, array in arrays.items() if key.startswith("kernels.")}
        kernels = Kernels.from_arrays(inner)
        if len(arrays["directions"]) != kernels.count or len(arrays["middle"]) != kernels.count:
            raise ValueError(f"directions of {len(arrays['directions'])} features for {kernels.count}")
        columns = tuple(map(str, settings["columns"]))
        return cls(
            columns, kernels, arrays["middle"], arrays["directions"], arrays["mean"], arrays["factor"],
            float(settings["scale"]),
        )  # fmt: skip

    def _series(self, rows: Rows) -> NDArray[np.float32]:
        if rows.series is None or rows.series.shape[1] != len(self.columns):
            raise SettingError(
                f"series of shape {None if rows.series is None else rows.series.shape}",
                f"(b, {len(self.columns)}, length): the channels {', '.join(self.columns)}",
                "Give rows of the same columns",
            )
        return rows.series

    def _coordinates(self, series: NDArray[np.float32]) -> NDArray[np.float32]:
        if self._wide is None:
            self._wide = self.directions.astype(np.float64)
        found = np.empty((len(series), self.directions.shape[1]), dtype=np.float32)
        for start in range(0, len(series), 1024):
            part = slice(start, start + 1024)
            found[part] = (self.kernels.transform(series[part]).astype(np.float64) - self.middle) @ self._wide
        found[known_lengths(series) == 0] = 0.0
        return found

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_memory": {}, "_wide": None}


def statistics(series: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return ``STATISTICS`` of each channel and the length, (b, 8c + 1); NaN where a channel has no value."""
    values = np.where(np.isfinite(series), series, np.nan).astype(np.float64)
    known = np.isfinite(values)
    count = known.sum(axis=2)
    some = np.maximum(count, 1)
    filled = np.where(known, values, 0.0)
    mean = filled.sum(axis=2) / some
    away = np.where(known, values - mean[..., None], 0.0)
    spread = np.sqrt((away**2).sum(axis=2) / some)
    low = np.where(known, values, np.inf).min(axis=2)
    high = np.where(known, values, -np.inf).max(axis=2)
    ends = [np.take_along_axis(filled, place[..., None], axis=2)[..., 0] for place in _ends(known)]
    place = np.arange(series.shape[2], dtype=np.float64)
    along = np.where(known, place - (known * place).sum(axis=2, keepdims=True) / some[..., None], 0.0)
    slope = (along * away).sum(axis=2) / np.maximum((along**2).sum(axis=2), 1.0)
    lengths = known_lengths(series)
    share = count / np.maximum(lengths, 1)[:, None]
    parts = np.stack([mean, spread, low, high, *ends, slope, share], axis=2)
    parts[count == 0, :-1] = np.nan
    return np.concatenate([parts.reshape(len(series), -1), lengths[:, None].astype(np.float64)], axis=1)


def _ends(known: NDArray[np.bool_]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    return known.argmax(axis=2), known.shape[2] - 1 - known[..., ::-1].argmax(axis=2)


def _standard(
    told: NDArray[np.float64], spread: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return mean and 1 / standard deviation of each statistic; 0 where it hardly varies."""
    known = np.isfinite(told)
    count = np.maximum(known.sum(axis=0), 1)
    mean = np.where(known, told, 0.0).sum(axis=0) / count
    deviation = np.sqrt((np.where(known, told - mean, 0.0) ** 2).sum(axis=0) / count)
    noise = np.zeros((len(spread), len(STATISTICS)))
    noise[:, : STATISTICS.index("slope")] = 1e-5 * spread[:, None]  # e.g. the mean of series that are standardised
    varies = deviation > np.concatenate([noise.ravel(), [0.0]]) + 1e-12
    return mean, np.where(varies, 1.0 / np.where(varies, deviation, 1.0), 0.0)


def _directions(features: NDArray[np.float64]) -> tuple[NDArray[np.float32], NDArray[np.float32], float]:
    """Return the features' mean (w,), directions (w, r), and what makes the largest deviation along one of them 1."""
    middle = features.mean(axis=0).astype(np.float32)
    away = features - middle
    deviation = away.std(axis=0)
    factor = np.where(deviation > 1e-9, 1.0 / np.where(deviation > 1e-9, deviation, 1.0), 0.0)
    scaled = away * factor
    values, vectors = np.linalg.eigh(scaled @ scaled.T)
    order = np.argsort(-values)[: min(DIRECTIONS, max(1, len(values) - 1))]
    kept = order[values[order] > 1e-9 * max(values.max(), 1e-12)]
    whole = max(float(values.clip(0).sum()) / len(values), 1e-12)  # mean squared length of a row
    directions = factor[:, None] * (scaled.T @ (vectors[:, kept] / np.sqrt(values[kept]))) / np.sqrt(whole)
    largest = np.sqrt(values[kept].max(initial=0.0) / len(values) / whole)
    return middle, directions.astype(np.float32), float(1.0 / largest) if largest > 0 else 1.0
