"""A linear model on the wide numbers of blocks: the scores come from outside the graph, the rest is drawn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from temperance.data.blocks import ScoreBlock
from temperance.deployment.base import Part, finish_scores
from temperance.deployment.linear import Linear
from temperance.deployment.sketch import Sketch
from temperance.records.schema import Target


@dataclass(frozen=True, eq=False)
class Words(Part):
    """scores = those of ``block`` + those of ``plain`` on numbers and categories, intercept included.

    With ``one_vs_rest`` the probabilities are σ(score) in shares.
    """

    block: ScoreBlock
    plain: Linear
    one_vs_rest: bool = False

    def draw(self, sketch: Sketch, target: Target) -> str:
        plain = self.plain
        total = sketch.add("Add", sketch.cast(sketch.block(self.block), np.float64), plain.scores(sketch))
        if self.one_vs_rest:
            total = _log_sigmoid(sketch, total)
        return finish_scores(
            sketch, total, target, width=len(plain.intercept), classes=plain.classes, floor=plain.floor
        )

    def arrays(self) -> dict[str, NDArray[Any]]:
        return {"words": self.block.weights, **self.plain.arrays()}


def _log_sigmoid(sketch: Sketch, name: str) -> str:
    """Add ln σ(z) = min(z, 0) − ln(1 + exp(−|z|)); ONNX Runtime has no Softplus of float64."""
    one, zero = (sketch.constant(value, np.float64) for value in (1.0, 0.0))
    small = sketch.add("Exp", sketch.add("Neg", sketch.add("Abs", name)))
    return sketch.add("Sub", sketch.add("Min", name, zero), sketch.add("Log", sketch.add("Add", one, small)))
