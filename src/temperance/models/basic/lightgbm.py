"""LightGBM, where it is installed (``pip install temperance[boosting]``)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from temperance.models.basic.base import BASIC, BasicModel, FitPath, FittedBasic, Sample, seen
from temperance.models.basic.matrices import Matrix, TreeMatrix
from temperance.records.schema import Schema, Task

OBJECTIVES: dict[Task, tuple[str, str]] = {
    "binary": ("binary", "binary_logloss"),
    "multiclass": ("multiclass", "multi_logloss"),
    "regression": ("regression", "l2"),
}


@dataclass(frozen=True, eq=False)
class Grown:
    """The first ``trees`` rounds of a LightGBM booster, answering like a scikit-learn model."""

    booster: Any
    trees: int
    classes_: NDArray[np.int64]

    def predict(self, inputs: Matrix) -> Matrix:
        """Return values (b,), or the booster's own answer: (b,) for two classes, (b, c) for more."""
        return np.asarray(self.booster.predict(inputs, num_iteration=self.trees, num_threads=1), dtype=np.float64)

    def predict_proba(self, inputs: Matrix) -> Matrix:
        """Return probabilities (b, c)."""
        answer = self.predict(inputs)
        return np.stack([1 - answer, answer], axis=1) if answer.ndim == 1 else answer


@BASIC.add
@dataclass(frozen=True)
class LightGBM(BasicModel):
    """LightGBM that stops where the held rows no longer gain.

    The defaults are near those that Holzmüller et al. (2024), arXiv:2407.04491, appendix C, tuned on many sets.

    Attributes:
        learning_rate: share of each tree that is added.
        most_trees: most trees (per class).
        leaves: most leaves of a tree.
        least_rows: fewest rows in a leaf.
        l2: penalty on leaf values.
        features: share of columns tried at each split.
        rows: share of the rows that each tree sees.
        patience: trees without gain before it stops; 0: never, all ``most_trees`` are used.

    """

    name = "lightgbm"
    words = "gradient boosting (LightGBM)"
    needs = "lightgbm"
    learning_rate: float = 0.05
    most_trees: int = 1000
    leaves: int = 16
    least_rows: int = 10
    l2: float = 1.0
    features: float = 0.5
    rows: float = 0.75
    patience: int = 30

    @property
    def settled(self) -> bool:
        return self.patience == 0

    def paths(self, train: Sample, held: Sample, *, schema: Schema, seed: int) -> Iterator[FitPath]:
        checked = seen(held, train.target, schema.target.task)
        grown = self._grown(train, checked, schema, seed)
        yield FitPath(np.array(grown.curve), checked.mass, lambda step: self._cut(grown, step + 1, schema))

    def whole(self, train: Sample, *, schema: Schema, seed: int) -> FittedBasic:
        return self._cut(self._grown(train, None, schema, seed), self.most_trees, schema)

    @classmethod
    def seconds(cls, rows: int, columns: int, outputs: int) -> float:
        return 0.03 + 250 * (outputs if outputs > 2 else 1) * (2e-4 + 6e-9 * rows * columns)

    def _grown(self, train: Sample, held: Sample | None, schema: Schema, seed: int) -> _Grove:
        import lightgbm

        task, matrix = schema.target.task, TreeMatrix.fit(schema)
        classes, codes = np.empty(0, dtype=np.int64), train.target
        if task != "regression":
            classes, codes = np.unique(train.target.astype(np.int64), return_inverse=True)
        if len(classes) == 2:
            task = "binary"
        objective, metric = OBJECTIVES[task]
        settings = {
            "objective": objective, "metric": metric, "learning_rate": self.learning_rate, "num_leaves": self.leaves,
            "min_data_in_leaf": self.least_rows, "lambda_l2": self.l2, "feature_fraction_bynode": self.features,
            "bagging_fraction": self.rows, "bagging_freq": 1, "seed": seed, "num_threads": 1, "verbosity": -1,
            "deterministic": True, "force_row_wise": True, "min_data_in_bin": 1, "cat_smooth": 10.0,
        }  # fmt: skip
        if task == "multiclass":
            settings["num_class"] = len(classes)
        inner = {"categorical_feature": list(matrix.as_category), "free_raw_data": True, "params": {"verbosity": -1}}
        data = lightgbm.Dataset(matrix.of(train.rows), codes, weight=train.weight, **inner)
        booster = lightgbm.Booster(settings, data)
        grove = _Grove(booster, matrix, classes)
        if held is None:
            for _ in range(self.most_trees):
                booster.update()
            return grove
        truth = held.target if task == "regression" else np.searchsorted(classes, held.target)
        booster.add_valid(data.create_valid(matrix.of(held.rows), truth, weight=held.weight), "held")
        # LightGBM's own early stopping drops the trees after the best one, and folds have to stop at one place together
        while len(grove.curve) < self.most_trees and len(grove.curve) - grove.best <= self.patience:
            booster.update()
            grove.curve.append(float(booster.eval_valid()[0][2]))
        return grove

    def _cut(self, grove: _Grove, trees: int, schema: Schema) -> FittedBasic:
        return FittedBasic.around(
            "lightgbm", Grown(grove.booster, trees, grove.classes), grove.matrix, schema,
            settings={"learning_rate": self.learning_rate, "trees": float(trees), "leaves": float(self.leaves)},
            rebuilt={**asdict(self), "most_trees": trees, "patience": 0},
            parameters=4 * trees * self.leaves * grove.booster.num_model_per_iteration(),
        )  # fmt: skip


@dataclass(eq=False)
class _Grove:
    """A booster as it grows, with its loss on the held rows after each round."""

    booster: Any
    matrix: TreeMatrix
    classes: NDArray[np.int64]
    curve: list[float] = field(default_factory=list)

    @property
    def best(self) -> int:
        """Count of rounds up to the best one."""
        return int(np.argmin(self.curve)) + 1 if self.curve else 0
