"""CatBoost, where it is installed (``pip install temperance[boosting]``)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from temperance.models.basic.base import BASIC, BasicModel, FitPath, FittedBasic, Sample, seen
from temperance.models.basic.matrices import CodeMatrix, Matrix
from temperance.records.schema import Schema


@dataclass(frozen=True, eq=False)
class Oblivious:
    """The first ``trees`` trees of a CatBoost model, answering like a scikit-learn model."""

    model: Any
    trees: int
    classes_: NDArray[np.int64]

    def predict(self, inputs: Matrix) -> Matrix:
        """Return values (b,)."""
        return np.asarray(self._answer(inputs, "RawFormulaVal"), dtype=np.float64)

    def predict_proba(self, inputs: Matrix) -> Matrix:
        """Return probabilities (b, c)."""
        return np.asarray(self._answer(inputs, "Probability"), dtype=np.float64)

    def _answer(self, inputs: Matrix, kind: str) -> Any:
        single = np.ascontiguousarray(inputs, dtype=np.float32)
        return self.model.predict(single, prediction_type=kind, ntree_end=self.trees, thread_count=1)


@BASIC.add
@dataclass(frozen=True)
class CatBoost(BasicModel):
    """CatBoost's symmetric trees, stopped where the held rows no longer gain.

    Categories are 0/1 columns (up to 32 codes) or numbers: its own statistics of categories have no rule for export.

    Attributes:
        learning_rate: share of each tree that is added.
        most_trees: most trees.
        depth: of each tree, which has 2^depth leaves.
        l2: penalty on leaf values.
        rows: share of the rows that each tree sees.
        patience: trees without gain before it stops; 0: never, all ``most_trees`` are used.

    """

    name = "catboost"
    words = "gradient boosting (CatBoost)"
    needs = "catboost"
    learning_rate: float = 0.08
    most_trees: int = 1000
    depth: int = 6
    l2: float = 3.0
    rows: float = 0.8
    patience: int = 30

    @property
    def settled(self) -> bool:
        return self.patience == 0

    def paths(self, train: Sample, held: Sample, *, schema: Schema, seed: int) -> Iterator[FitPath]:
        checked = seen(held, train.target, schema.target.task)
        model, classes, matrix = self._grown(train, checked, schema, seed)
        losses = np.asarray(next(iter(model.get_evals_result()["validation"].values())))
        if schema.target.task == "regression":
            losses = losses**2  # the curve is of the root
        yield FitPath(losses, checked.mass, lambda step: self._cut(model, step + 1, classes, matrix, schema))

    def whole(self, train: Sample, *, schema: Schema, seed: int) -> FittedBasic:
        model, classes, matrix = self._grown(train, None, schema, seed)
        return self._cut(model, self.most_trees, classes, matrix, schema)

    @classmethod
    def seconds(cls, rows: int, columns: int, outputs: int) -> float:
        return 0.05 + 200 * (1e-3 + 4e-8 * rows * columns) * (outputs if outputs > 2 else 1)

    def _grown(
        self, train: Sample, held: Sample | None, schema: Schema, seed: int
    ) -> tuple[Any, NDArray[np.int64], CodeMatrix]:
        from catboost import CatBoost as Engine
        from catboost import Pool

        task, matrix = schema.target.task, CodeMatrix.fit(schema)
        classes, codes = np.empty(0, dtype=np.int64), train.target
        if task != "regression":
            classes, codes = np.unique(train.target.astype(np.int64), return_inverse=True)
        several = {"binary": "Logloss", "multiclass": "MultiClass", "regression": "RMSE"}
        loss = "Logloss" if len(classes) == 2 else several[task]
        settings = {
            "loss_function": loss, "learning_rate": self.learning_rate, "iterations": self.most_trees,
            "depth": self.depth, "l2_leaf_reg": self.l2, "bootstrap_type": "Bernoulli", "subsample": self.rows,
            "random_seed": seed, "thread_count": 1, "verbose": False, "allow_writing_files": False,
        }  # fmt: skip
        data = Pool(matrix.of(train.rows).astype(np.float32), codes, weight=train.weight)
        model = Engine(settings)
        if held is None:
            return model.fit(data), classes, matrix
        truth = held.target if task == "regression" else np.searchsorted(classes, held.target)
        checked = Pool(matrix.of(held.rows).astype(np.float32), truth, weight=held.weight)
        model.fit(data, eval_set=checked, early_stopping_rounds=self.patience, use_best_model=False)
        return model, classes, matrix

    def _cut(
        self, model: Any, trees: int, classes: NDArray[np.int64], matrix: CodeMatrix, schema: Schema
    ) -> FittedBasic:
        return FittedBasic.around(
            "catboost", Oblivious(model, trees, classes), matrix, schema,
            settings={"learning_rate": self.learning_rate, "trees": float(trees), "depth": float(self.depth)},
            rebuilt={**asdict(self), "most_trees": trees, "patience": 0},
            parameters=trees * 2**self.depth * (len(classes) if len(classes) > 2 else 1),
        )  # fmt: skip
