"""From raw rows to what a network eats, fitted on training rows alone, in steps that an ONNX graph can repeat."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from temperance.data.blocks import Block, fit_blocks, pack, unpack
from temperance.records.errors import SettingError
from temperance.records.schema import MISSING, Rows, Schema
from temperance.records.table import Table

FARTHEST = 1e30  # float64 distances are cut here, so that the cast to float32 is finite
STEEPEST = 1e6  # scaled distances are cut here, so that their square is finite
_CHUNK = 65_536


class Features(NamedTuple):
    """What a network takes.

    Shapes: numeric (b, n + flags + blocks) float32, or (b, n) int64 where they are whole · categorical (b, m) int64,
    each in 0 … cardinality − 1 · images (b, c, h, w) float32 or None.
    """

    numeric: NDArray[Any]
    categorical: NDArray[np.int64]
    images: NDArray[np.float32] | None = None


@dataclass(frozen=True, eq=False)
class Preprocess:
    """The fitted steps.

    Numbers, column by column, with x in float64::

        d = 0 where x is NaN or infinite, else clip(x − center, ±1e30)      float64, then cast to float32
        z = clip(d · scale, ±1e6)                                            float32
        numeric = z / sqrt(1 + (z / clip)²)                                  float32, between −clip and clip
        flags = 1 where x[:, flagged] is NaN or infinite, else 0            joined behind the numbers
        each block's own numbers, as they are                                joined behind the flags

    Categories: ``categorical[:, j] = codes[j][code]``; ``codes[j]`` has the vocabulary's length + 2, the last two
    entries are for ``UNSEEN`` (−2, always 0) and ``MISSING`` (−1). Index 0 is: unseen, or too rare, or missing where
    training knew no missing. Images: ``(pixel − image_mean) / image_sd`` per channel, channels first.

    With ``largest`` the numbers are whole: ``numeric = round(x)`` where that is in 0 … largest, else 0.

    Attributes:
        center: (n,) float64 medians.
        scale: (n,) float32, 1 / (q75 − q25), or 2 / (max − min) where that is 0, or 0.
        flagged: (f,) int64 numeric columns with missing training values; each gets a flag.
        codes: m arrays of int64, (vocabulary + 2,).
        cardinalities: m counts of indices, 0 included.
        clip: height of the smooth clip.
        image_mean: (c,) float32, or None.
        image_sd: (c,) float32, or None.
        target_mean: mean of a numeric target, else 0.
        target_sd: its standard deviation, else 1.
        largest: largest whole number that the net knows, e.g. of a token; None: numbers are measured ones.
        blocks: fitted blocks of columns of text and series.

    Reference: robust scaling and smooth clipping follow RealMLP (Holzmüller et al. 2024, arXiv 2407.04491, appendix).

    """

    center: NDArray[np.float64]
    scale: NDArray[np.float32]
    flagged: NDArray[np.int64]
    codes: tuple[NDArray[np.int64], ...]
    cardinalities: tuple[int, ...]
    clip: float = 3.0
    image_mean: NDArray[np.float32] | None = None
    image_sd: NDArray[np.float32] | None = None
    target_mean: float = 0.0
    target_sd: float = 1.0
    largest: int | None = None
    blocks: tuple[Block, ...] = ()

    @classmethod
    def fit(
        cls,
        table: Table,
        index: NDArray[Any] | None = None,
        *,
        clip: float = 3.0,
        min_count: int = 2,
        blocks: tuple[Block, ...] | None = None,
    ) -> Preprocess:
        """Fit on the rows ``index`` (None = all).

        Args:
            table: raw rows and targets.
            index: training rows.
            clip: height of the smooth clip, in units of the quartile range.
            min_count: a category seen less often in these rows counts as unseen.
            blocks: fitted on the same rows before; None: they are fitted now.

        Raises:
            SettingError: ``clip`` or ``min_count`` out of range, or no rows.

        """
        index = np.arange(len(table)) if index is None else np.asarray(index)
        if clip <= 0 or min_count < 1 or not len(index):
            raise SettingError(
                f"clip={clip}, min_count={min_count}, {len(index)} rows",
                "clip > 0, min_count ≥ 1, rows ≥ 1",
                "Correct it",
            )
        rows, schema = table.rows, table.schema
        n = len(schema.numeric)
        center, scale, missing = np.zeros(n), np.zeros(n, dtype=np.float32), np.zeros(n, dtype=bool)
        for j in range(n):
            center[j], scale[j], missing[j] = _robust(rows.numeric[index, j])
        codes, cardinalities = [], []
        for j, column in enumerate(schema.categorical):
            lookup = _lookup(rows.categorical[index, j], len(column.vocabulary), min_count)
            codes.append(lookup)
            cardinalities.append(int(lookup.max()) + 1)
        mean, sd = _image_moments(rows.images, index)
        regression = schema.target.task == "regression"
        target = np.asarray(table.target[index], dtype=np.float64) if regression else np.zeros(1)
        centre, spread = float(target.mean()), float(target.std())
        if schema.target.counts:  # a log scale is divided, not moved
            centre, spread = 0.0, centre
        return cls(
            center,
            scale,
            np.flatnonzero(missing).astype(np.int64),
            tuple(codes),
            tuple(cardinalities),
            clip,
            mean,
            sd,
            centre if regression else 0.0,
            (spread or 1.0) if regression else 1.0,
            blocks=fit_blocks(rows.take(index), schema) if blocks is None else blocks,
        )

    def as_they_are(self, largest: int | None = None) -> Preprocess:
        """Return the steps without centre, scale and clip: numbers as in the data, 0 where missing, up to ±1e6.

        With ``largest`` they become whole numbers from 0 to it, without flags and blocks; any other number is 0.
        """
        plain = replace(self, center=np.zeros_like(self.center), scale=np.ones_like(self.scale), clip=FARTHEST)
        if largest is None:
            return plain
        none = np.empty(0, dtype=np.int64)
        return replace(plain, flagged=none, largest=min(largest, int(STEEPEST)), blocks=())

    @property
    def width(self) -> int:
        """Count of numeric features: columns, missing flags and the blocks' numbers."""
        return len(self.center) + len(self.flagged) + sum(block.width for block in self.blocks)

    def transform(self, rows: Rows) -> Features:
        """Turn raw rows into features; rows are independent, so any chunk gives the same."""
        images = None
        if rows.images is not None and self.image_mean is not None and self.image_sd is not None:
            images = (rows.images.astype(np.float32) - self.image_mean) / self.image_sd
            images = np.ascontiguousarray(np.moveaxis(images, -1, 1), dtype=np.float32)
        size = rows.size
        numeric = np.empty((size, self.width), dtype=np.float32 if self.largest is None else np.int64)
        for start in range(0, size, _CHUNK):
            part = slice(start, start + _CHUNK)
            blocks = (block.transform(rows.take(part)) for block in self.blocks)
            numeric[part] = np.concatenate([self._numeric(rows.numeric[part]), *blocks], axis=1)
        categorical = np.empty((size, len(self.codes)), dtype=np.int64)
        for j, lookup in enumerate(self.codes):
            categorical[:, j] = lookup[rows.categorical[:, j]]  # −2 and −1 are the last two entries
        return Features(numeric, categorical, images)

    def _numeric(self, raw: NDArray[np.float64]) -> NDArray[Any]:
        absent = ~np.isfinite(raw)
        with np.errstate(over="ignore", invalid="ignore"):
            away = np.where(absent, 0.0, np.clip(raw - self.center, -FARTHEST, FARTHEST)).astype(np.float32)
            z = np.clip(away * self.scale, -np.float32(STEEPEST), np.float32(STEEPEST))
        if self.largest is not None:
            whole = np.rint(z)
            return np.where((whole >= 0) & (whole <= self.largest), whole, 0).astype(np.int64)
        bent = z / np.sqrt(np.float32(1.0) + (z / np.float32(self.clip)) ** 2)
        return np.concatenate([bent, absent[:, self.flagged].astype(np.float32)], axis=1)

    def scale_target(self, values: NDArray[Any]) -> NDArray[np.float32]:
        """Standardise a numeric target."""
        return np.asarray((values - self.target_mean) / self.target_sd, dtype=np.float32)

    def unscale_target(self, values: NDArray[Any]) -> NDArray[np.float64]:
        """Undo ``scale_target``."""
        return np.asarray(values, dtype=np.float64) * self.target_sd + self.target_mean

    def to_arrays(self) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
        """Return plain arrays and JSON-safe fields; ``from_arrays`` takes both."""
        arrays: dict[str, NDArray[Any]] = {"center": self.center, "scale": self.scale, "flagged": self.flagged}
        arrays["codes"] = np.concatenate([*self.codes, np.empty(0, dtype=np.int64)])
        if self.image_mean is not None and self.image_sd is not None:
            arrays |= {"image_mean": self.image_mean, "image_sd": self.image_sd}
        settings = {
            "lengths": [len(lookup) for lookup in self.codes],
            "cardinalities": list(self.cardinalities),
            "clip": self.clip,
            "target_mean": self.target_mean,
            "target_sd": self.target_sd,
            "largest": self.largest,
        }
        if self.blocks:
            packed, settings["blocks"] = pack(self.blocks)
            arrays |= {f"block.{name}": array for name, array in packed.items()}
        return arrays, settings

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]], settings: Mapping[str, Any]) -> Preprocess:
        """Rebuild what ``to_arrays`` gave."""
        ends = np.cumsum(np.array(settings["lengths"], dtype=np.int64))
        return cls(
            np.asarray(arrays["center"], dtype=np.float64),
            np.asarray(arrays["scale"], dtype=np.float32),
            np.asarray(arrays["flagged"], dtype=np.int64),
            tuple(np.split(np.asarray(arrays["codes"], dtype=np.int64), ends)[: len(ends)]),
            tuple(int(count) for count in settings["cardinalities"]),
            float(settings["clip"]),
            arrays.get("image_mean"),
            arrays.get("image_sd"),
            float(settings["target_mean"]),
            float(settings["target_sd"]),
            settings.get("largest"),
            unpack(
                {name.removeprefix("block."): array for name, array in arrays.items() if name.startswith("block.")},
                settings.get("blocks", ()),
            ),
        )

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Preprocess):
            return NotImplemented
        pairs = [(getattr(self, f.name), getattr(other, f.name)) for f in fields(self)]
        return all(_same(a, b) for a, b in pairs)

    __hash__ = None  # type: ignore[assignment]


def column_names(schema: Schema, preprocess: Preprocess) -> tuple[str, ...]:
    """Return names for ``Features.numeric``: columns, ``<name> is missing`` for each flag, the blocks' names."""
    names = [column.name for column in schema.numeric]
    flags = (f"{names[j]} is missing" for j in preprocess.flagged)
    return (*names, *flags, *(name for block in preprocess.blocks for name in block.names))


def _robust(values: NDArray[np.float64]) -> tuple[float, np.float32, bool]:
    finite = values[np.isfinite(values)]
    missing = len(finite) < len(values)
    if not len(finite):
        return 0.0, np.float32(0.0), missing
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        low, q25, median, q75, high = np.quantile(finite, (0.0, 0.25, 0.5, 0.75, 1.0))
        scale = 1.0 / (q75 - q25) if q75 != q25 else (2.0 / (high - low) if high != low else 0.0)
    return float(median), np.float32(min(scale, FARTHEST)), missing


def _lookup(codes: NDArray[np.int32], size: int, min_count: int) -> NDArray[np.int64]:
    """Return the index per code, (size + 2,): 0 for rare ones, then UNSEEN (0) and MISSING (own index where seen)."""
    counts = np.bincount(codes[codes >= 0], minlength=size)
    kept = counts >= min_count
    lookup = np.zeros(size + 2, dtype=np.int64)
    lookup[:size][kept] = 1 + np.arange(int(kept.sum()))
    if int((codes == MISSING).sum()) >= min_count:
        lookup[MISSING] = 1 + int(kept.sum())
    return lookup


def _image_moments(
    images: NDArray[np.uint8] | None, index: NDArray[Any]
) -> tuple[NDArray[np.float32] | None, NDArray[np.float32] | None]:
    if images is None:
        return None, None
    channels = images.shape[-1]
    counts = np.zeros((channels, 256))
    for start in range(0, len(index), 4096):
        part = images[index[start : start + 4096]]
        for c in range(channels):
            counts[c] += np.bincount(part[..., c].ravel(), minlength=256)
    levels, total = np.arange(256.0), counts.sum(axis=1)
    mean = (counts @ levels) / total
    sd = np.sqrt(np.maximum((counts @ levels**2) / total - mean**2, 0.0))
    return mean.astype(np.float32), np.where(sd > 0, sd, 1.0).astype(np.float32)


def _same(a: Any, b: Any) -> bool:
    if isinstance(a, tuple):
        return len(a) == len(b) and all(_same(x, y) for x, y in zip(a, b, strict=True))
    return bool(np.array_equal(a, b)) if isinstance(a, np.ndarray) else bool(a == b)
