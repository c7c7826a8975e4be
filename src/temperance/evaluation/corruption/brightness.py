"""Pictures that are too bright or too dark."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from temperance.evaluation.corruption.picture import Picture, Pixels


@final
@dataclass(frozen=True)
class Brightness(Picture):
    """Add the same amount to all pixels of a picture, or take it off: a coin decides."""

    name = "brightness"
    words = "pictures too bright or too dark (of the range of brightness)"
    small = (0.05, 0.1, 0.15, 0.2, 0.3)
    large = (0.1, 0.2, 0.3, 0.4, 0.5)

    def paint(self, pixels: Pixels, *, level: float, generator: np.random.Generator) -> Pixels:
        """Return pixels ± level."""
        sign = generator.integers(0, 2, size=(len(pixels), 1, 1, 1)).astype(np.float32) * 2 - 1
        return pixels + np.float32(level) * sign
