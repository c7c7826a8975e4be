"""Numbers that the audit's own small models and distances see; nothing here is used by the shipped model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from temperance.data.blocks.ngrams import normal, words
from temperance.records.schema import Rows

Matrix = NDArray[np.float32]
_PLACES = 32  # numbers per text
_WIDTH = 8  # numbers per category in a distance


def tree_matrix(rows: Rows, *, side: int = 16) -> Matrix:
    """Return (b, f) for trees: numbers, category codes (missing = NaN), texts, or grey thumbnails.

    Of each column of text there is its count of words (missing = NaN), then of all of them ``hashed_words``.
    """
    if rows.images is not None:
        return thumbnails(rows.images, side=side).reshape(rows.size, -1)
    codes = np.where(rows.categorical < 0, np.nan, rows.categorical).astype(np.float32)
    with np.errstate(over="ignore"):
        numbers = rows.numeric.astype(np.float32)
    numbers[np.isinf(numbers)] = np.nan
    if rows.text is None:
        return np.concatenate([numbers, codes], axis=1)
    lengths = [[len(cell.split()) if cell else np.nan for cell in row] for row in rows.text]
    return np.concatenate([numbers, codes, np.array(lengths, dtype=np.float32), hashed_words(rows.text)], axis=1)


def hashed_words(texts: NDArray[np.object_]) -> Matrix:
    """Return (b, t · 32): the words and pairs of words of each text, signed, added up in 32 places, with length 1.

    Nothing is fitted (the hashing trick, Weinberger et al. 2009, ICML).
    """
    out = np.zeros((len(texts), texts.shape[1], _PLACES), dtype=np.float32)
    for j, column in enumerate(texts.T):
        found = words([normal(cell) for cell in column])
        sign = np.where(found.piece >> np.uint32(31), np.float32(1), np.float32(-1))
        place = found.text * _PLACES + found.piece % _PLACES
        out[:, j] = np.bincount(place, sign * found.times, len(texts) * _PLACES).reshape(len(texts), _PLACES)
    length = np.linalg.norm(out, axis=2, keepdims=True)
    return np.asarray((out / np.where(length > 0, length, 1)).reshape(len(texts), -1), dtype=np.float32)


def thumbnails(images: NDArray[np.uint8], *, side: int = 16, margin: int = 0, dy: int = 0, dx: int = 0) -> Matrix:
    """Return (b, side, side) grey means over equal areas of the window inside ``margin``, moved by (dy, dx)."""
    _, h, w, _ = images.shape
    grey = images.astype(np.float32).mean(axis=3)
    window = grey[:, margin + dy : h - margin + dy, margin + dx : w - margin + dx]
    tall, wide = _areas(window.shape[1], side), _areas(window.shape[2], side)
    small: Matrix = np.matmul(np.matmul(tall, window), wide.T)
    return small


def _areas(size: int, side: int) -> Matrix:
    edges = np.linspace(0.0, size, side + 1)
    pixels = np.arange(size)
    overlap = np.minimum(edges[1:, None], pixels + 1) - np.maximum(edges[:-1, None], pixels)
    weights = np.clip(overlap, 0.0, None)
    shares: Matrix = (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)
    return shares


@dataclass(frozen=True, eq=False)
class Ruler:
    """Turns rows into points whose Euclidean distance is comparable over columns.

    A number is divided by its standard deviation (after clipping to the 1st and 99th percentile); a category becomes a
    fixed unit vector / √2, so that two different ones are about 1 apart, and so do a text's words; a missing number is
    the median plus a flag.
    """

    middle: NDArray[np.float64]
    spread: NDArray[np.float64]
    gaps: NDArray[np.bool_]
    seed: int = 0

    @classmethod
    def fit(cls, rows: Rows, *, seed: int = 0) -> Ruler:
        """Take the scale of each column from ``rows``."""
        if not rows.size or not rows.numeric.shape[1]:
            width = rows.numeric.shape[1]
            return cls(np.zeros(width), np.ones(width), np.zeros(width, dtype=bool), seed)
        values = _finite(rows)
        gaps: NDArray[np.bool_] = np.asarray(np.isnan(values).any(axis=0))
        filled = np.where(np.isnan(values).all(axis=0), 0.0, values)
        low, middle, high = np.nanpercentile(filled, [1, 50, 99], axis=0)
        spread = np.nanstd(np.clip(filled, low, high), axis=0)
        whole = np.nanstd(filled, axis=0)
        spread = np.where(spread > 0, spread, np.where(whole > 0, whole, 1.0))
        return cls(middle, spread, gaps, seed)

    def points(self, rows: Rows) -> Matrix:
        """Return (b, f) float32."""
        if rows.images is not None:
            return thumbnails(rows.images).reshape(rows.size, -1) / np.float32(64.0)
        values = _finite(rows)
        missing = np.isnan(values)
        scaled = np.where(missing, 0.0, (values - self.middle) / self.spread)
        parts: list[NDArray[Any]] = [np.clip(scaled, -1e6, 1e6), missing[:, self.gaps]]
        generator = np.random.default_rng([self.seed, 7])
        for j in range(rows.categorical.shape[1]):
            codes = rows.categorical[:, j].astype(np.int64) + 2  # UNSEEN, MISSING, 0, 1, …
            parts.append(_places(int(codes.max(initial=0)) + 1, int(generator.integers(2**31)))[codes])
        if rows.text is not None:
            parts.append(hashed_words(rows.text) / np.sqrt(2))
        return np.concatenate(parts, axis=1).astype(np.float32)


def _finite(rows: Rows) -> NDArray[np.float64]:
    """Return the numbers with infinities as missing, inside a range whose squares are finite."""
    values: NDArray[np.float64] = np.where(np.isfinite(rows.numeric), rows.numeric, np.nan)
    return np.clip(values, -1e140, 1e140)


def _places(count: int, seed: int) -> Matrix:
    """Return (count, 8) unit vectors / √2; the first ones do not depend on ``count``."""
    vectors = np.random.default_rng(seed).standard_normal((count, _WIDTH))
    units: Matrix = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True) / np.sqrt(2)).astype(np.float32)
    return units


def nearest(queries: Matrix, reference: Matrix, *, chunk: int = 512) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return (q,) distance to the nearest reference point and its position; the distance is exact, not expanded."""
    best = np.zeros(len(queries), dtype=np.int64)
    lengths = (reference * reference).sum(axis=1)
    for start in range(0, len(queries), chunk):
        block = queries[start : start + chunk]
        best[start : start + chunk] = (lengths - 2.0 * (block @ reference.T)).argmin(axis=1)
    gap = queries.astype(np.float64) - reference[best]
    return np.sqrt((gap * gap).sum(axis=1)), best


def neighbours(points: Matrix, folds: NDArray[np.int64], *, k: int, chunk: int = 512) -> NDArray[np.int64]:
    """Return (b, k) positions of the nearest points in other folds."""
    lengths = (points * points).sum(axis=1)
    out = np.empty((len(points), k), dtype=np.int64)
    for start in range(0, len(points), chunk):
        stop = min(start + chunk, len(points))
        far = lengths - 2.0 * (points[start:stop] @ points.T)
        far[folds[start:stop, None] == folds[None, :]] = np.inf
        out[start:stop] = np.argpartition(far, k - 1, axis=1)[:, :k]
    return out
