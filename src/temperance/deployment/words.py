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
            total = sketch.add("Neg", sketch.add("Softplus", sketch.add("Neg", total)))
        return finish_scores(
            sketch, total, target, width=len(plain.intercept), classes=plain.classes, floor=plain.floor
        )

    def arrays(self) -> dict[str, NDArray[Any]]:
        return {"words": self.block.weights, **self.plain.arrays()}
