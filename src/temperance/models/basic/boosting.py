"""Histogram gradient boosting of scikit-learn, with a few settings tried."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from temperance.models.basic.base import BASIC, BasicModel, FitPath, FittedBasic, Sample, seen
from temperance.models.basic.matrices import TreeMatrix
from temperance.records.schema import Schema

LEAST_GAIN = 1e-4  # of the log loss, or of the share of variance: what ``patience`` trees must gain together
# What is tried, in this order, as changes of the defaults: small trees for noise, large ones for interactions.
# Chosen on sets of the tuned half, which benchmarks/basics.py measures.
LADDER: tuple[dict[str, Any], ...] = ({}, {"leaves": 4, "least_rows": 5}, {"leaves": 31, "l2": 3.0})


@BASIC.add
@dataclass(frozen=True)
class Boosting(BasicModel):
    """Histogram gradient boosting that stops where the held rows no longer gain.

    Attributes:
        learning_rate: share of each tree that is added.
        most_trees: most trees (per class).
        leaves: most leaves of a tree.
        least_rows: fewest rows in a leaf.
        l2: penalty on leaf values.
        features: share of columns tried at each split.
        patience: trees without gain before it stops; 0: never, all ``most_trees`` are used.
        tries: how many entries of ``LADDER`` are tried; 1: the settings as they are.

    """

    name = "boosting"
    words = "gradient boosting"
    learning_rate: float = 0.1
    most_trees: int = 500
    leaves: int = 8
    least_rows: int = 10
    l2: float = 1.0
    features: float = 0.5
    patience: int = 25
    tries: int = len(LADDER)

    @property
    def settled(self) -> bool:
        return self.patience == 0

    def paths(self, train: Sample, held: Sample, *, schema: Schema, seed: int) -> Iterator[FitPath]:
        matrix = TreeMatrix.fit(schema)
        checked = seen(held, train.target, schema.target.task)
        inputs, held_inputs = matrix.of(train.rows), matrix.of(checked.rows)
        # perfectly separable rows gain a little with each tree for ever
        usual = float(np.var(train.target)) / 2 if schema.target.task == "regression" else 1.0
        tol = LEAST_GAIN * (float(np.mean(train.target)) / 2 if schema.target.counts else usual)
        for changes in LADDER[: self.tries] if self.tries > 1 else ({},):
            one = replace(self, **changes)
            model = one._model(schema, matrix, seed, early_stopping=True, n_iter_no_change=one.patience, tol=tol)
            model.fit(
                inputs, train.target, sample_weight=train.weight,
                X_val=held_inputs, y_val=checked.target, sample_weight_val=checked.weight,
            )  # fmt: skip
            curve = -np.asarray(model.validation_score_)[1:]
            yield FitPath(curve, checked.mass, partial(one._cut, model, matrix, schema))

    def whole(self, train: Sample, *, schema: Schema, seed: int) -> FittedBasic:
        matrix = TreeMatrix.fit(schema)
        model = self._model(schema, matrix, seed, early_stopping=False)
        model.fit(matrix.of(train.rows), train.target, sample_weight=train.weight)
        return self._cut(model, matrix, schema, self.most_trees - 1)

    @classmethod
    def seconds(cls, rows: int, columns: int, outputs: int) -> float:
        trees = 150 * len(LADDER) * (outputs if outputs > 2 else 1)
        return 0.05 + trees * (1.2e-3 + 5e-9 * rows * columns)

    def _model(self, schema: Schema, matrix: TreeMatrix, seed: int, **stopping: Any) -> Any:
        from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

        kind = HistGradientBoostingClassifier
        if schema.target.task == "regression":
            kind = partial(HistGradientBoostingRegressor, loss="poisson" if schema.target.counts else "squared_error")
        return kind(
            learning_rate=self.learning_rate,
            max_iter=self.most_trees,
            max_leaf_nodes=self.leaves,
            min_samples_leaf=self.least_rows,
            l2_regularization=self.l2,
            max_features=self.features,
            categorical_features=list(matrix.as_category) or None,
            random_state=seed,
            **stopping,
        )

    def _cut(self, model: Any, matrix: TreeMatrix, schema: Schema, step: int) -> FittedBasic:
        """Return the model as it was after a step: with its first ``step + 1`` trees."""
        short = copy.copy(model)
        short._predictors = model._predictors[: step + 1]
        count = len(short._predictors)
        return FittedBasic.around(
            "boosting", short, matrix, schema,
            settings={"learning_rate": self.learning_rate, "trees": float(count), "leaves": float(self.leaves)},
            rebuilt={**asdict(self), "most_trees": max(1, count), "patience": 0, "tries": 1},
            parameters=2 * sum(len(tree.nodes) for stage in short._predictors for tree in stage),
        )  # fmt: skip
