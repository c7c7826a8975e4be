"""Extremely randomized trees: a member whose mistakes differ from those of boosting and of nets."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from temperance.models.basic.base import BASIC, BasicModel, FitPath, FittedBasic, Sample, same, thinned
from temperance.models.basic.matrices import CodeMatrix
from temperance.records.schema import Schema

MOST_LEAVES = 60_000  # of all trees together: what a bundle of some megabytes holds


@BASIC.add
@dataclass(frozen=True)
class ExtraTrees(BasicModel):
    """Extremely randomized trees (Geurts et al. 2006); the fewest rows in a leaf are chosen on the held rows.

    Attributes:
        trees: how many are averaged.
        least_rows: fewest rows in a leaf, each tried; more where all trees together would have over 60,000 leaves.
        features: share of columns tried at each split.
        most_rows: rows used, drawn at random where there are more.

    """

    name = "extratrees"
    words = "extremely randomized trees"
    trees: int = 100
    least_rows: tuple[int, ...] = (2, 8)
    features: float = 0.5
    most_rows: int = 20_000

    @property
    def settled(self) -> bool:
        return len(self.least_rows) == 1

    def paths(self, train: Sample, held: Sample, *, schema: Schema, seed: int) -> Iterator[FitPath]:
        for least in self.least_rows:
            fitted = replace(self, least_rows=(least,)).whole(train, schema=schema, seed=seed)
            yield FitPath(np.array([fitted.loss(held)]), held.mass, partial(same, fitted))

    def whole(self, train: Sample, *, schema: Schema, seed: int) -> FittedBasic:
        from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor

        train = thinned(train, self.most_rows, seed)
        matrix = CodeMatrix.fit(schema)
        kind: Any = ExtraTreesRegressor if schema.target.task == "regression" else ExtraTreesClassifier
        least = max(self.least_rows[0], -(-self.trees * train.size // (2 * MOST_LEAVES)))
        model = kind(self.trees, min_samples_leaf=least, max_features=self.features, random_state=seed)
        model.fit(matrix.of(train.rows), train.target, sample_weight=train.weight)
        leaves = sum(tree.tree_.n_leaves for tree in model.estimators_)
        return FittedBasic.around(
            "extratrees", model, matrix, schema,
            settings={"trees": float(self.trees), "least_rows": float(least)},
            rebuilt={**asdict(self), "least_rows": self.least_rows[:1]},
            parameters=int(leaves) * (2 + schema.target.outputs),
            floor=1 / (train.size + schema.target.outputs),
        )  # fmt: skip

    @classmethod
    def seconds(cls, rows: int, columns: int, outputs: int) -> float:
        rows = min(rows, cls.most_rows)
        return 0.2 + 2.0 * 1.5e-6 * rows * math.log2(rows + 2) * math.pow(max(1, columns), 0.8)
