"""A linear model on scaled numbers, flags of missing numbers and one-hot categories."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from temperance.deployment.base import Part, finish_scores
from temperance.deployment.encoding import draw_words, positions
from temperance.deployment.sketch import Sketch
from temperance.records.errors import BundleError
from temperance.records.schema import Target

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Linear(Part):
    """scores = ((where(missing, median, raw) − centre)·factor, flags)·W + Σ_j T_j[category_j] + intercept, in float64.

    A missing or unseen category adds nothing.

    Attributes:
        median: (n,) what replaces a missing number.
        centre: (n,) subtracted.
        factor: (n,) multiplied.
        flagged: columns whose missing flag (0 or 1) is an input.
        weight: (n + q, s), s scores: 1 for regression and for two classes.
        vocabulary: categories per categorical column.
        tables: per categorical column (categories, s).
        intercept: (s,).
        classes: numbers of the classes that training rows had; empty = all.
        floor: smallest probability given to a class.
        cap: the score is the log of the prediction, at most this; None: it is the prediction.

    """

    median: Array
    centre: Array
    factor: Array
    flagged: tuple[int, ...]
    weight: Array
    vocabulary: tuple[tuple[str, ...], ...]
    tables: tuple[Array, ...]
    intercept: Array
    classes: tuple[int, ...] = ()
    floor: float = 0.0
    cap: float | None = None

    def draw(self, sketch: Sketch, target: Target) -> str:
        """Draw it.

        Raises:
            BundleError: it has no inputs.

        """
        if not len(self.median) and not self.tables:
            raise BundleError("the linear model has no inputs", "at least one column")
        total = self.scores(sketch)
        if self.cap is not None:
            total = sketch.add("Min", total, sketch.constant(self.cap, np.float64))
        width, log = len(self.intercept), self.cap is not None
        return finish_scores(sketch, total, target, width=width, classes=self.classes, floor=self.floor, log=log)

    def scores(self, sketch: Sketch) -> str:
        """Add the scores (b, s), or (s,) where there are no columns."""
        intercept = sketch.weight("intercept", self.intercept)
        terms = self._terms(sketch)
        for term in terms:
            intercept = sketch.add("Add", term, intercept)
        return intercept

    def arrays(self) -> dict[str, NDArray[Any]]:
        tables = {f"table_{j}": table for j, table in enumerate(self.tables)}
        return {"weight": self.weight, "intercept": self.intercept, **tables}

    def _terms(self, sketch: Sketch) -> list[str]:
        terms = []
        if len(self.median):
            terms.append(sketch.add("MatMul", self._numbers(sketch), sketch.weight("weight", self.weight)))
        if self.tables:
            silent = np.zeros((1, len(self.intercept)))  # row 0 of each column: missing or unseen
            stacked = np.concatenate([block for table in self.tables for block in (silent, table)])
            starts = np.cumsum([0, *(len(table) + 1 for table in self.tables[:-1])])
            codes = draw_words(sketch, positions(self.vocabulary))
            rows = sketch.add("Add", codes, sketch.constant(starts, np.int64))
            chosen = sketch.add("Gather", sketch.weight("table", stacked), rows, axis=0)
            terms.append(sketch.add("ReduceSum", chosen, sketch.constant([1], np.int64), keepdims=0))
        return terms

    def _numbers(self, sketch: Sketch) -> str:
        width = len(sketch.schema.numeric)
        if len(self.median) != width or len(self.weight) != width + len(self.flagged):
            raise BundleError(
                f"the linear model has {len(self.median)} numeric columns and {len(self.weight)} weights",
                f"the schema has {width} and {len(self.flagged)} flags",
            )
        missing = sketch.add("IsNaN", "numeric")
        filled = sketch.add("Where", missing, sketch.constant(self.median, np.float64), "numeric")
        centred = sketch.add("Sub", filled, sketch.constant(self.centre, np.float64))
        scaled = sketch.add("Mul", centred, sketch.constant(self.factor, np.float64))
        if not self.flagged:
            return scaled
        flags = sketch.add("Gather", missing, sketch.constant(self.flagged, np.int64), axis=1)
        return sketch.add("Concat", scaled, sketch.cast(flags, np.float64), axis=1)
