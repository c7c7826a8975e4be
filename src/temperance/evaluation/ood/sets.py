"""Strange rows made from known ones, where the user has none: near and far, and always called synthetic."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from temperance.records.schema import UNSEEN, Column, Rows, Schema

NEAR = {
    "table": "columns of different rows put together (each value is known, their combination is not)",
    "images": "quarters of a picture in another order",
}
FAR = {
    "table": "numbers ten ranges away and categories that nobody knows",
    "images": "pictures of noise",
}


def near(rows: Rows, schema: Schema, *, seed: int = 0) -> Rows:
    """Return rows whose every part is known and whose whole is not: columns from different rows, quarters exchanged.

    Columns of one source (the parts of a date) stay together.
    """
    draw = np.random.default_rng([seed, 0x0E1])
    if rows.images is not None:
        return rows._replace(images=_quarters(rows.images))
    sources = {c.source or c.name: draw.permutation(rows.size) for c in schema.columns}

    def at(columns: Sequence[Column]) -> list[NDArray[np.int64]]:
        return [sources[c.source or c.name] for c in columns]

    numeric, codes = rows.numeric.copy(), rows.categorical.copy()
    for j, order in enumerate(at(schema.numeric)):
        numeric[:, j] = rows.numeric[order, j]
    for j, order in enumerate(at(schema.categorical)):
        codes[:, j] = rows.categorical[order, j]
    text, series = rows.text, rows.series
    if text is not None:
        text = np.stack([text[order, j] for j, order in enumerate(at(schema.text))], axis=1)
    if series is not None:
        series = np.stack([series[order, j] for j, order in enumerate(at(schema.series))], axis=1)
    return rows._replace(numeric=numeric, categorical=codes, text=text, series=series)


def far(rows: Rows, schema: Schema, *, seed: int = 0) -> Rows:
    """Return rows like nothing known: numbers 10 to 20 ranges outside, unknown categories, noise for pictures.

    Series become noise of ten times their spread; text is left as it is.
    """
    draw = np.random.default_rng([seed, 0x0E2])
    if rows.images is not None:
        noise = draw.integers(0, 256, size=rows.images.shape, dtype=np.int64)
        return rows._replace(images=noise.astype(np.uint8))
    x = np.where(np.isfinite(rows.numeric), rows.numeric, np.nan)
    numeric = rows.numeric.copy()
    for j in range(x.shape[1]):
        known = x[~np.isnan(x[:, j]), j]
        low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 1.0)
        width = (high - low) or max(abs(high), 1.0)
        away = (10 + 10 * draw.random(rows.size)) * width
        numeric[:, j] = np.where(draw.random(rows.size) < 0.5, low - away, high + away)
    series = rows.series
    if series is not None:
        spread = np.nanstd(series, axis=(0, 2), keepdims=True)
        series = (10 * spread * draw.standard_normal(series.shape)).astype(np.float32)
    return rows._replace(numeric=numeric, categorical=np.full_like(rows.categorical, UNSEEN), series=series)


def _quarters(images: NDArray[Any]) -> NDArray[Any]:
    """Exchange the quarters crosswise, upper left with lower right, (b, h, w, c)."""
    height, width = images.shape[1] // 2, images.shape[2] // 2
    return np.roll(images, (height, width), axis=(1, 2))
