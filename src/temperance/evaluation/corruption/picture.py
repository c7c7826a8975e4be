"""What image corruptions share: severities by image size, and the way from bytes to numbers and back."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from temperance.evaluation.corruption.base import Corruption, Reference
from temperance.records.schema import Rows

Pixels = NDArray[np.float32]
_LARGE = 64  # from this side on, the severities of large pictures


@dataclass(frozen=True)
class Picture(Corruption):
    """A corruption of pixels in [0, 1].

    A picture of 32 × 32 bears much less than one of 224 × 224, so a family states five sizes for ``small`` (shorter
    side below 64) and five for ``large``. Where both publications use the family, the sizes are those of Hendrycks and
    Dietterich (2019, arXiv:1903.12261) for CIFAR-10 and ImageNet; code and results are our own, so do not call them
    CIFAR-10-C or ImageNet-C.
    """

    small: ClassVar[tuple[float, ...]]
    large: ClassVar[tuple[float, ...]]

    kind = "images"

    def levels(self, reference: Reference) -> tuple[float, ...]:
        """Return the sizes for this image size."""
        shape = reference.schema.image_shape
        return self.large if shape is not None and min(shape[0], shape[1]) >= _LARGE else self.small

    def corrupt(self, rows: Rows, *, level: float, reference: Reference, generator: np.random.Generator) -> Rows:
        """Return rows with damaged images, rounded back to bytes."""
        if rows.images is None:
            return rows
        pixels = rows.images.astype(np.float32) / np.float32(255)
        damaged = self.paint(pixels, level=level, generator=generator)
        return rows._replace(images=np.rint(np.clip(damaged, 0.0, 1.0) * 255).astype(np.uint8))

    @abstractmethod
    def paint(self, pixels: Pixels, *, level: float, generator: np.random.Generator) -> Pixels:
        """Damage pixels (b, h, w, c) in [0, 1]."""


def sample(pixels: Pixels, y: NDArray[np.float64], x: NDArray[np.float64]) -> Pixels:
    """Return pixels (b, h', w', c) read at fractional positions (h', w'), bilinear, edges repeated."""
    height, width = pixels.shape[1:3]
    y, x = np.clip(y, 0, height - 1), np.clip(x, 0, width - 1)
    top, left = np.floor(y).astype(np.int64), np.floor(x).astype(np.int64)
    bottom, right = np.minimum(top + 1, height - 1), np.minimum(left + 1, width - 1)
    down = (y - top).astype(np.float32)[..., None]
    over = (x - left).astype(np.float32)[..., None]
    upper = pixels[:, top, left] * (1 - over) + pixels[:, top, right] * over
    lower = pixels[:, bottom, left] * (1 - over) + pixels[:, bottom, right] * over
    mixed: Pixels = (upper * (1 - down) + lower * down).astype(np.float32)
    return mixed
