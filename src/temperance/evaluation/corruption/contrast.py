"""Pale pictures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from temperance.evaluation.corruption.picture import Picture, Pixels


@final
@dataclass(frozen=True)
class Contrast(Picture):
    """Pull every pixel towards the picture's mean, per channel."""

    name = "contrast"
    words = "pale pictures (share of the contrast that is left)"
    small = (0.75, 0.5, 0.4, 0.3, 0.15)
    large = (0.4, 0.3, 0.2, 0.1, 0.05)
    chance = False

    def paint(self, pixels: Pixels, *, level: float, generator: np.random.Generator) -> Pixels:
        """Return mean + level · (pixels − mean)."""
        mean = pixels.mean(axis=(1, 2), keepdims=True)
        pale: Pixels = mean + np.float32(level) * (pixels - mean)
        return pale
