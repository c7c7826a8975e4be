"""Small images as rows of numbers, for models that take a matrix."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from temperance.records.errors import DataError
from temperance.records.schema import Rows

Matrix = NDArray[np.float64]
SIDE = 16  # most pixels per side that are kept
LEAST_SHARE = 0.3  # of the largest deviation of a pixel: one that hardly moves in training is not blown up
BLOCK = 256  # images worked on at once, which bounds the memory


@dataclass(frozen=True)
class PixelMatrix:
    """Area means of images, standardized; columns in the order (row, column, channel).

    An image (h, w, c) of pixels 0 … 255 becomes ``down`` · image · ``across``ᵀ per channel, at most
    ``SIDE`` × ``SIDE``; smaller images keep their pixels. Then ``centre`` is subtracted, and ``factor`` multiplied.
    All in float64.

    Attributes:
        down: (h', h) means over rows of pixels.
        across: (w', w) means over columns of pixels.
        centre: (h'·w'·c,) subtracted.
        factor: (h'·w'·c,) multiplied, 0 where all training images are equal.

    """

    down: Matrix
    across: Matrix
    centre: Matrix
    factor: Matrix

    @classmethod
    def fit(cls, images: NDArray[np.uint8]) -> PixelMatrix:
        """Take means and standard deviations from images (b, h, w, c)."""
        down, across = (area_means(size, min(size, SIDE)) for size in images.shape[1:3])
        pooled = _pooled(images, down, across)
        deviation = pooled.std(axis=0)
        least = max(LEAST_SHARE * float(deviation.max()), 1e-9)
        factor = np.where(deviation > 1e-9, 1 / np.maximum(deviation, least), 0.0)
        return cls(down, across, pooled.mean(axis=0), factor)

    def of(self, rows: Rows) -> Matrix:
        """Return the matrix (b, h'·w'·c).

        Raises:
            DataError: rows without images.

        """
        if rows.images is None:
            raise DataError("rows without images", "images of the shape that the model was trained on", "Give images")
        return (_pooled(rows.images, self.down, self.across) - self.centre) * self.factor


def pixel_count(shape: tuple[int, int, int]) -> int:
    """Return the columns of the matrix for images of (h, w, c)."""
    return min(shape[0], SIDE) * min(shape[1], SIDE) * shape[2]


def area_means(size: int, kept: int) -> Matrix:
    """Return the matrix (kept, size) that takes means over stretches of pixels.

    Row i holds equal weights on the pixels ⌊i · size / kept⌋ … ⌈(i + 1) · size / kept⌉ − 1, as in
    ``torch.nn.functional.adaptive_avg_pool2d``.
    """
    means = np.zeros((kept, size))
    for i in range(kept):
        first, end = i * size // kept, -(-(i + 1) * size // kept)
        means[i, first:end] = 1 / (end - first)
    return means


def _pooled(images: NDArray[np.uint8], down: Matrix, across: Matrix) -> Matrix:
    count, height, width, channels = images.shape
    found = np.empty((count, len(down) * len(across) * channels))
    for i in range(0, count, BLOCK):
        block = images[i : i + BLOCK].astype(np.float64)
        lines = (down @ block.reshape(-1, height, width * channels)).reshape(-1, width, channels)
        found[i : i + BLOCK] = (across @ lines).reshape(len(block), -1)
    return found
