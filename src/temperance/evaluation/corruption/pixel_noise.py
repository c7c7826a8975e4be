"""Grain of a camera in poor light."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from temperance.evaluation.corruption.picture import Picture, Pixels


@final
@dataclass(frozen=True)
class PixelNoise(Picture):
    """Add normal noise to every pixel and channel."""

    name = "pixel_noise"
    words = "grainy pictures (standard deviation, of the range of brightness)"
    small = (0.04, 0.06, 0.08, 0.09, 0.10)
    large = (0.08, 0.12, 0.18, 0.26, 0.38)

    def paint(self, pixels: Pixels, *, level: float, generator: np.random.Generator) -> Pixels:
        """Return pixels + level · z."""
        return pixels + np.float32(level) * generator.standard_normal(pixels.shape, dtype=np.float32)
