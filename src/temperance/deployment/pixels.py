"""A linear model on area means of an image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from temperance.deployment.base import Part, finish_scores
from temperance.deployment.sketch import Sketch
from temperance.records.errors import BundleError
from temperance.records.schema import Target

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Pixels(Part):
    """scores = ((down · image · acrossᵀ per channel) − centre)·factor·W + intercept, in float64.

    Attributes:
        down: (h', h) means over rows of pixels.
        across: (w', w) means over columns of pixels.
        centre: (h'·w'·c,) subtracted; order (row, column, channel).
        factor: (h'·w'·c,) multiplied.
        weight: (h'·w'·c, s), s scores: 1 for regression and for two classes.
        intercept: (s,).
        classes: numbers of the classes that training rows had; empty = all.
        floor: smallest probability given to a class.

    """

    down: Array
    across: Array
    centre: Array
    factor: Array
    weight: Array
    intercept: Array
    classes: tuple[int, ...] = ()
    floor: float = 0.0

    def draw(self, sketch: Sketch, target: Target) -> str:
        centred = sketch.add("Sub", self._means(sketch), sketch.constant(self.centre, np.float64))
        scaled = sketch.add("Mul", centred, sketch.constant(self.factor, np.float64))
        summed = sketch.add("MatMul", scaled, sketch.weight("weight", self.weight))
        total = sketch.add("Add", summed, sketch.weight("intercept", self.intercept))
        return finish_scores(sketch, total, target, width=len(self.intercept), classes=self.classes, floor=self.floor)

    def arrays(self) -> dict[str, NDArray[Any]]:
        return {"weight": self.weight, "intercept": self.intercept}

    def _means(self, sketch: Sketch) -> str:
        shape = sketch.schema.image_shape
        kept = (len(self.down), len(self.across))
        if (
            shape is None
            or (self.down.shape[1], self.across.shape[1]) != shape[:2]
            or (len(self.centre) != kept[0] * kept[1] * shape[2])
        ):
            raise BundleError(
                f"the linear model takes images of {self.down.shape[1]} × {self.across.shape[1]} pixels",
                f"the schema has images of shape {shape}",
            )
        height, width, channels = shape
        pixels = sketch.cast("image", np.float64)
        if kept[0] < height:
            lines = sketch.add("Reshape", pixels, sketch.constant([0, height, width * channels], np.int64))
            pixels = sketch.add("MatMul", sketch.constant(self.down, np.float64), lines)
        if kept[1] < width:
            lines = sketch.add("Reshape", pixels, sketch.constant([0, kept[0], width, channels], np.int64))
            pixels = sketch.add("MatMul", sketch.constant(self.across, np.float64), lines)
        return sketch.add("Reshape", pixels, sketch.constant([0, len(self.centre)], np.int64))
