"""Pictures held askew."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from temperance.evaluation.corruption.picture import Picture, Pixels, sample


@final
@dataclass(frozen=True)
class Rotation(Picture):
    """Turn the picture about its centre, to a side that a coin decides; the edge is repeated."""

    name = "rotation"
    words = "pictures held askew (degrees)"
    small = (3.0, 6.0, 10.0, 15.0, 25.0)
    large = (3.0, 6.0, 10.0, 15.0, 25.0)

    def paint(self, pixels: Pixels, *, level: float, generator: np.random.Generator) -> Pixels:
        """Return turned pixels."""
        left = generator.integers(0, 2, size=len(pixels)).astype(bool)
        height, width = pixels.shape[1:3]
        y, x = np.meshgrid(np.arange(height) - (height - 1) / 2, np.arange(width) - (width - 1) / 2, indexing="ij")
        out = np.empty_like(pixels)
        for hit, sign in ((left, 1.0), (~left, -1.0)):
            if hit.any():
                sine, cosine = np.sin(np.deg2rad(sign * level)), np.cos(np.deg2rad(level))
                out[hit] = sample(
                    pixels[hit],
                    cosine * y - sine * x + (height - 1) / 2,
                    sine * y + cosine * x + (width - 1) / 2,
                )
        return out
