"""Several models in one graph: the weighted average of their probabilities or values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from temperance.deployment.base import Part, log_mean
from temperance.deployment.sketch import Sketch
from temperance.records.errors import BundleError
from temperance.records.schema import Target


@dataclass(frozen=True, eq=False)
class Ensemble(Part):
    """p = Σ w_i p_i. ``weights`` (k,) are positive, divided by their sum; left out, all members count the same."""

    members: tuple[Part, ...]
    weights: tuple[float, ...] = ()

    def draw(self, sketch: Sketch, target: Target) -> str:
        weights = self._shares()
        drawn = []
        for i, member in enumerate(self.members):
            sketch.enter(f"member_{i}")
            drawn.append(member.draw(sketch, target))
            sketch.leave()
        axis = sketch.constant([1], np.int64)
        stacked = sketch.add("Concat", *(sketch.add("Unsqueeze", name, axis) for name in drawn), axis=1)
        if target.task != "regression":
            return log_mean(sketch, stacked, weights)
        return sketch.add("MatMul", stacked, sketch.constant(weights, np.float64))

    def arrays(self) -> dict[str, NDArray[Any]]:
        members = enumerate(self.members)
        return {f"member_{i}.{name}": array for i, member in members for name, array in member.arrays().items()}

    def _shares(self) -> NDArray[np.float64]:
        given = np.asarray(self.weights or [1.0] * len(self.members), dtype=np.float64)
        if not self.members or given.shape != (len(self.members),) or not (given > 0).all():
            raise BundleError(
                f"an ensemble of {len(self.members)} members with weights {self.weights}",
                "one positive weight per member, at least one member",
            )
        return np.asarray(given / given.sum(), dtype=np.float64)
