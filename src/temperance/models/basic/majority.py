"""The same answer for every row: what any model must beat."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from temperance.models.basic.base import BASIC, BasicModel, FitPath, FittedBasic, Sample
from temperance.records.schema import Schema


@BASIC.add
@dataclass(frozen=True)
class Majority(BasicModel):
    """Answer the same for every row: the (weighted) share of each class, or the mean."""

    name = "majority"
    words = "the same answer for all"
    takes_images = True
    blind = True

    @property
    def settled(self) -> bool:
        return True

    def paths(self, train: Sample, held: Sample, *, schema: Schema, seed: int) -> Iterator[FitPath]:
        return self.walk(train, held, schema=schema, seed=seed)

    def whole(self, train: Sample, *, schema: Schema, seed: int) -> FittedBasic:
        task, outputs = schema.target.task, schema.target.outputs
        if task == "regression":
            mean = float(np.average(train.target, weights=train.weight))
            return FittedBasic("majority", task, outputs, None, np.array([mean]), (), {}, parameters=1)
        counts = np.bincount(train.target.astype(np.int64), weights=train.weight, minlength=outputs) + 1.0
        shares = counts / counts.sum()  # one more each: no share is 0
        return FittedBasic("majority", task, outputs, None, shares, tuple(range(outputs)), {}, parameters=outputs)

    @classmethod
    def seconds(cls, rows: int, columns: int, outputs: int) -> float:
        return 0.01
