"""The model that gives every row the same answer: the shares of the classes, or the mean."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from temperance.deployment.base import Part
from temperance.deployment.sketch import Sketch
from temperance.records.errors import BundleError
from temperance.records.schema import Target


@dataclass(frozen=True, eq=False)
class Constant(Part):
    """Probabilities (c,) that sum to 1, or one value for regression."""

    values: NDArray[np.float64]

    def draw(self, sketch: Sketch, target: Target) -> str:
        """Draw the same answer for every row.

        Raises:
            BundleError: the values do not fit the target, or are not finite.

        """
        given = np.atleast_1d(np.asarray(self.values, dtype=np.float64))
        if given.shape != (target.outputs,) or not np.isfinite(given).all():
            raise BundleError(f"the constant has shape {given.shape}", f"the target has {target.outputs} outputs")
        rows = sketch.add("Shape", sketch.schema_input, start=0, end=1)
        if target.task == "regression":
            return sketch.add("Expand", sketch.weight("values", given), rows)
        logs = np.log(np.maximum(given, np.finfo(np.float64).tiny))
        shape = sketch.add("Concat", rows, sketch.constant([target.outputs], np.int64), axis=0)
        return sketch.add("Expand", sketch.weight("log_values", logs[None, :]), shape)

    def arrays(self) -> dict[str, NDArray[Any]]:
        return {"values": np.atleast_1d(np.asarray(self.values, dtype=np.float64))}
