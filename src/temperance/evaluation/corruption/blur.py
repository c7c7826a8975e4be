"""Pictures out of focus."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from temperance.evaluation.corruption.picture import Picture, Pixels


@final
@dataclass(frozen=True)
class Blur(Picture):
    """Blur with a normal kernel, edges repeated."""

    name = "blur"
    words = "blurred pictures (width of the blur in pixels)"
    small = (0.4, 0.6, 0.7, 0.8, 1.0)
    large = (1.0, 2.0, 3.0, 4.0, 6.0)
    chance = False

    def paint(self, pixels: Pixels, *, level: float, generator: np.random.Generator) -> Pixels:
        """Return blurred pixels: one pass down, one across."""
        reach = int(4 * level + 0.5)
        kernel = np.exp(-0.5 * np.square(np.arange(-reach, reach + 1) / level)).astype(np.float32)
        return _along(_along(pixels, kernel / kernel.sum(), 1), kernel / kernel.sum(), 2)


def _along(pixels: Pixels, kernel: Pixels, axis: int) -> Pixels:
    reach, side = len(kernel) // 2, pixels.shape[axis]
    out = np.zeros_like(pixels)
    for offset, weight in zip(range(-reach, reach + 1), kernel, strict=True):
        out += weight * pixels.take(np.clip(np.arange(side) + offset, 0, side - 1), axis=axis)
    return out
