"""Arrays of series: which axis is time, what the channels are called, and whether columns look like moments."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from temperance.data.blocks.kernels import known_lengths
from temperance.records.errors import DataError
from temperance.records.schema import Column

LOOKS = 16  # columns of a table from which they may be moments of one series
SMOOTH = 0.3  # share of the difference of two columns at random up to which neighbours are close


def series_array(values: NDArray[Any], channels: int | None = None) -> tuple[NDArray[np.float32], tuple[str, ...]]:
    """Return an array as series (b, c, length) float32, and notes that say how the axes were read.

    Args:
        values: (b, length), (b, c, length), or (b, length, c) where the middle axis is longer.
        channels: count c that a model was trained on; None: the longer axis is time.

    Raises:
        DataError: other axes, values that are no numbers, or another count of channels.

    """
    if values.dtype.kind not in "biuf" or values.ndim not in (2, 3) or not values.size:
        raise DataError(
            f"Series of type {values.dtype} and shape {values.shape}", "Numbers (n, length) or (n, channels, length)",
            "Save them as such, with NaN behind the end of the shorter ones",
        )  # fmt: skip
    cube = values[:, None, :] if values.ndim == 2 else values
    first, second = cube.shape[1:]
    turned = channels != first and channels == second if channels is not None else first > second
    notes: tuple[str, ...] = ()
    if turned:
        cube = np.swapaxes(cube, 1, 2)
        notes = (
            f"The array of shape {values.shape} is read as (rows, moments, channels): {second} channels of {first} "
            f"moments, because the longer axis is taken for time. If it is {first} channels of {second} moments, give "
            "a long table with an id and a time column.",
        )
    if channels is not None and cube.shape[1] != channels:
        raise DataError(
            f"Series of {cube.shape[1]} channels (shape {values.shape})", f"The model was trained on {channels}",
            "Give (n, channels, length) with the same channels",
        )  # fmt: skip
    with np.errstate(over="ignore"):
        made = np.ascontiguousarray(cube, dtype=np.float32)
    return np.where(np.isfinite(made), made, np.float32(np.nan)), notes


def channels_of(count: int) -> tuple[Column, ...]:
    """Return channels that have no names: ``series``, or ``channel_1`` …"""
    names = ["series"] if count == 1 else [f"channel_{j + 1}" for j in range(count)]
    return tuple(Column(name, "series", name) for name in names)


def shapes_note(series: NDArray[np.float32]) -> str:
    """Say what was found: how many series (b, c, length), channels, how long, what is missing."""
    lengths = known_lengths(series)
    low, high = int(lengths.min()), int(lengths.max())
    said = f"{len(series):,} series of {low if low == high else f'{low} to {high}'} moments"
    said += f" in {series.shape[1]} channels" if series.shape[1] > 1 else ""
    inside = np.arange(series.shape[2]) < lengths[:, None, None]
    gaps, empty = int((~np.isfinite(series) & inside).sum()), int((lengths == 0).sum())
    said += f"; {gaps:,} values inside them are missing and are bridged by a straight line" if gaps else ""
    said += f"; {empty:,} series hold no value at all" if empty else ""
    return f"{said}."


def look_like_moments(values: NDArray[Any]) -> bool:
    """Tell whether the columns (b, f) may be moments of one series: neighbours are much closer than others are."""
    if values.ndim != 2 or values.shape[1] < LOOKS or len(values) < 3 or values.dtype.kind != "f":
        return False
    sample = np.asarray(values[:500], dtype=np.float64)
    with np.errstate(invalid="ignore", over="ignore"):
        near = np.nanmean(np.abs(np.diff(sample, axis=1)))
        far = np.nanmean(np.abs(sample - np.roll(sample, values.shape[1] // 3, axis=1)))
    return bool(far > 0 and near < SMOOTH * far)
