"""A model that takes the numbers of blocks as if they were columns of the file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from temperance.data.blocks import Blocks
from temperance.deployment.base import Part
from temperance.deployment.sketch import Sketch
from temperance.records.schema import Target


@dataclass(frozen=True, eq=False)
class Widened(Part):
    """``inner`` on raw rows whose numeric columns are followed by the blocks' numbers."""

    inner: Part
    blocks: Blocks

    def draw(self, sketch: Sketch, target: Target) -> str:
        with sketch.widened(self.blocks):
            return self.inner.draw(sketch, target)

    def arrays(self) -> dict[str, NDArray[Any]]:
        return self.inner.arrays()
