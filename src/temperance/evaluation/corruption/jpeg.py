"""Pictures that were saved too small."""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO
from typing import final

import numpy as np

from temperance.evaluation.corruption.picture import Picture, Pixels


@final
@dataclass(frozen=True)
class Jpeg(Picture):
    """Save as JPEG and read again; each channel by itself unless there are three.

    The result depends on the version of the JPEG library, a little.
    """

    name = "jpeg"
    words = "pictures that were compressed too much (JPEG quality)"
    small = (80.0, 65.0, 58.0, 50.0, 40.0)
    large = (25.0, 18.0, 15.0, 10.0, 7.0)
    chance = False
    basic = False

    def paint(self, pixels: Pixels, *, level: float, generator: np.random.Generator) -> Pixels:
        """Return pixels after a round trip through JPEG."""
        whole = np.rint(np.clip(pixels, 0, 1) * 255).astype(np.uint8)
        out = np.empty_like(pixels)
        for i, picture in enumerate(whole):
            if picture.shape[-1] == 3:
                out[i] = _round_trip(picture, int(level))
            else:
                for c in range(picture.shape[-1]):
                    out[i, ..., c] = _round_trip(picture[..., c], int(level))
        return out


def _round_trip(picture: np.ndarray, quality: int) -> Pixels:
    from PIL import Image

    stream = BytesIO()
    Image.fromarray(np.ascontiguousarray(picture)).save(stream, "JPEG", quality=quality)
    return np.asarray(Image.open(stream), dtype=np.float32) / np.float32(255)
