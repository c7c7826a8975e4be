"""Histogram gradient boosting of scikit-learn, with a few settings tried."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from temperance.models.basic.base import BASIC, BasicModel, FitPath, FittedBasic, Sample, never, seen
from temperance.models.basic.matrices import TreeMatrix
from temperance.records.schema import Schema

LEAST_GAIN = 1e-4  # of the log loss, or of the share of variance: what ``patience`` trees must gain together …
LEAST_SHARE = 1e-3  # … or this share of the loss that is left, where it is less: rows that are almost solved
# What is tried, in this order, as changes of the defaults; chosen on sets of the tuned half (decision 0043).
LADDER: tuple[dict[str, Any], ...] = (
    {},
    {"leaves": 8, "least_rows": 10, "l2": 1.0, "features": 0.5},
    {"leaves": 31, "least_rows": 10, "l2": 3.0, "features": 0.5},
    {"learning_rate": 0.05, "least_rows": 5, "l2": 1.0, "features": 0.3},
    {"leaves": 4, "least_rows": 5, "l2": 1.0, "features": 0.5},
    {"leaves": 31, "least_rows": 20, "l2": 0.0, "features": 1.0},
    {"learning_rate": 0.05, "leaves": 6, "least_rows": 10, "l2": 1.0, "features": 0.7},
)  # fmt: skip
LEAST_COLUMNS = 3  # tried at each split: of a single one nobody can choose
USUAL = 3  # of them that a study tries at once; the others are a trial of their own


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
        first: entry of ``LADDER`` that is tried first.

    """

    name = "boosting"
    words = "gradient boosting"
    takes_until = True
    learning_rate: float = 0.1
    most_trees: int = 500
    leaves: int = 16
    least_rows: int = 2
    l2: float = 0.1
    features: float = 0.2
    patience: int = 25
    tries: int = USUAL
    first: int = 0

    @property
    def settled(self) -> bool:
        return self.patience == 0

    def paths(
        self, train: Sample, held: Sample, *, schema: Schema, seed: int, until: Callable[[], float] = never
    ) -> Iterator[FitPath]:
        matrix = TreeMatrix.fit(schema)
        checked = seen(held, train.target, schema.target.task)
        inputs, held_inputs = matrix.of(train.rows), matrix.of(checked.rows)
        usual = float(np.var(train.target)) / 2 if schema.target.task == "regression" else 1.0
        tol = LEAST_GAIN * (float(np.mean(train.target)) / 2 if schema.target.counts else usual)
        for changes in LADDER[self.first : self.first + self.tries] if self.tries > 1 or self.first else ({},):
            one = replace(self, **changes)
            model = one._model(schema, matrix, seed, early_stopping=True, n_iter_no_change=one.patience, tol=tol)
            ends = _End(until())
            plain, model.__class__ = model.__class__, _stopped(type(model), ends)
            model.fit(
                inputs, train.target, sample_weight=train.weight,
                X_val=held_inputs, y_val=checked.target, sample_weight_val=checked.weight,
            )  # fmt: skip
            model.__class__ = plain  # as it is kept and exported: nothing of ours is left in it
            curve = -np.asarray(model.validation_score_)[1:]
            yield FitPath(curve, checked.mass, partial(one._cut, model, matrix, schema), ends.came)

    def repeated(self, chosen: dict[str, Any], steps: int) -> dict[str, Any]:
        return {**chosen, "patience": self.patience, "most_trees": steps}

    def whole(self, train: Sample, *, schema: Schema, seed: int) -> FittedBasic:
        matrix = TreeMatrix.fit(schema)
        model = self._model(schema, matrix, seed, early_stopping=False)
        model.fit(matrix.of(train.rows), train.target, sample_weight=train.weight)
        return self._cut(model, matrix, schema, self.most_trees - 1)

    @classmethod
    def seconds(cls, rows: int, columns: int, outputs: int) -> float:
        trees = 150 * USUAL * (outputs if outputs > 2 else 1)
        return 0.05 + trees * (1.2e-3 + 5e-9 * rows * columns)

    def _model(self, schema: Schema, matrix: TreeMatrix, seed: int, **stopping: Any) -> Any:
        from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

        kind, columns = HistGradientBoostingClassifier, len(schema.numeric) + len(schema.categorical)
        if schema.target.task == "regression":
            kind = partial(HistGradientBoostingRegressor, loss="poisson" if schema.target.counts else "squared_error")
        return kind(
            learning_rate=self.learning_rate,
            max_iter=self.most_trees,
            max_leaf_nodes=self.leaves,
            min_samples_leaf=self.least_rows,
            l2_regularization=self.l2,
            max_features=max(self.features, min(1.0, LEAST_COLUMNS / max(1, columns))),
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
            rebuilt={**asdict(self), "most_trees": max(1, count), "patience": 0, "tries": 1, "first": 0},
            parameters=2 * sum(len(tree.nodes) for stage in short._predictors for tree in stage),
        )  # fmt: skip


@dataclass(eq=False)
class _End:
    """A moment (``time.monotonic()``) at which a fit ends; ``came``: it did end it."""

    at: float
    came: bool = False

    def __bool__(self) -> bool:
        """Return whether the moment has come, and note it."""
        self.came = self.came or (self.at < math.inf and time.monotonic() > self.at)
        return self.came


def _stopped(kind: Any, end: _End) -> Any:
    """Return scikit-learn's class, whose fit ends at a moment too.

    It has no callback; its own test of the losses is asked after each round. There the share of the loss is seen to as
    well: perfectly separable rows gain a little with each tree for ever, and of a small loss a little is much.
    """

    class Stopped(kind):  # type: ignore[misc]
        tol: float

        def _should_stop(self, scores: list[float]) -> bool:
            most, self.tol = self.tol, min(self.tol, LEAST_SHARE * abs(scores[-1]))
            try:
                return bool(super()._should_stop(scores)) or bool(end)
            finally:
                self.tol = most

    Stopped.__name__ = kind.__name__
    return Stopped
