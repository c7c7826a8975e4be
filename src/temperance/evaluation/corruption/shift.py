"""Pictures that are off centre."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from temperance.evaluation.corruption.picture import Picture, Pixels, sample

_WAYS = ((-1, -1), (-1, 0), (-1, 1), (0, -1), (0, 1), (1, -1), (1, 0), (1, 1))


@final
@dataclass(frozen=True)
class Shift(Picture):
    """Move the picture in one of eight directions; the edge is repeated."""

    name = "shift"
    words = "pictures off centre (of the picture's side)"
    small = (0.03, 0.06, 0.09, 0.12, 0.16)
    large = (0.03, 0.06, 0.09, 0.12, 0.16)

    def paint(self, pixels: Pixels, *, level: float, generator: np.random.Generator) -> Pixels:
        """Return moved pixels."""
        way = generator.integers(0, len(_WAYS), size=len(pixels))
        height, width = pixels.shape[1:3]
        y, x = np.meshgrid(np.arange(height, dtype=np.float64), np.arange(width, dtype=np.float64), indexing="ij")
        out = np.empty_like(pixels)
        for number, (down, right) in enumerate(_WAYS):
            hit = way == number
            if hit.any():
                out[hit] = sample(pixels[hit], y - down * level * height, x - right * level * width)
        return out
