"""Coarse pictures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from temperance.evaluation.corruption.picture import Picture, Pixels


@final
@dataclass(frozen=True)
class Pixelate(Picture):
    """Replace blocks of pixels by their mean, as if the picture had been small and was blown up."""

    name = "pixelate"
    words = "coarse pictures (side of the small picture, as a share)"
    small = (0.95, 0.9, 0.85, 0.75, 0.65)
    large = (0.6, 0.5, 0.4, 0.3, 0.25)
    chance = False

    def paint(self, pixels: Pixels, *, level: float, generator: np.random.Generator) -> Pixels:
        """Return block means, blown up again."""
        return _coarse(_coarse(pixels, level, 1), level, 2)


def _coarse(pixels: Pixels, level: float, axis: int) -> Pixels:
    side = pixels.shape[axis]
    cell = np.arange(side) * max(1, int(side * level)) // side
    starts, count = np.unique(cell, return_index=True, return_counts=True)[1:]
    shape = [1] * pixels.ndim
    shape[axis] = -1
    means = np.add.reduceat(pixels, starts, axis=axis) / count.reshape(shape).astype(np.float32)
    blown: Pixels = means.take(cell, axis=axis)
    return blown
