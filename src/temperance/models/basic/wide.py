"""A linear model on the many numbers that texts and series have: weighed words and letters, answers of kernels."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from temperance.models.basic.base import BASIC, BasicModel, FitPath, FittedBasic, Sample, same, thinned
from temperance.models.basic.matrices import LinearMatrix, WideMatrix
from temperance.records.errors import DataError
from temperance.records.schema import Schema

PATIENCE = 2  # penalties in a row that do worse, after which no further ones are tried


@BASIC.add
@dataclass(frozen=True)
class Wide(BasicModel):
    """Logistic regression or ridge on the wide numbers of blocks, beside scaled numbers and one-hot categories.

    The strength is the one of ``grid`` that does best on the held rows. The most promising ones come first, one by one,
    so that a clock can end the search; it ends by itself where two in a row do worse than the best.

    Attributes:
        grid: penalties relative to the loss per row: λ = 1 / (C·rows) for logistic, α / rows for ridge.
        most_rows: rows used, drawn at random where there are more.

    """

    name = "wide"
    words = "wide linear model"
    takes_wide = True
    grid: tuple[float, ...] = (1e-4, 3e-4, 3e-5, 1e-3, 1e-5, 3e-6, 1e-6)
    most_rows: int = 100_000

    def __post_init__(self) -> None:
        if not self.grid:
            raise DataError("an empty grid of penalties", "at least one penalty", "Leave `grid` at its default")

    @property
    def settled(self) -> bool:
        return len(self.grid) == 1

    def paths(self, train: Sample, held: Sample, *, schema: Schema, seed: int) -> Iterator[FitPath]:
        course = _Course(thinned(train, self.most_rows, seed), schema)
        losses: list[float] = []
        for penalty in self.grid:
            fitted = course.fit(penalty)
            losses.append(fitted.loss(held))
            yield FitPath(np.array(losses[-1:]), held.mass, partial(same, fitted))
            if len(losses) - 1 - int(np.argmin(losses)) >= PATIENCE:
                return

    def whole(self, train: Sample, *, schema: Schema, seed: int) -> FittedBasic:
        return _Course(thinned(train, self.most_rows, seed), schema).fit(self.grid[0])

    @classmethod
    def seconds(cls, rows: int, columns: int, outputs: int) -> float:
        return 0.3 + min(rows, cls.most_rows) * (2.5e-4 + 8e-5 * (1 if outputs <= 2 else outputs))


@dataclass(frozen=True, eq=False)
class OneVsRest:
    """One logistic regression per class against the rest, in shares: p_k = σ(z_k) / Σ_j σ(z_j).

    On texts it takes a quarter of the time of one softmax over all classes, and its log loss is the same.

    Shapes: coef_ (c, w) · intercept_ (c,) · classes_ (c,).
    """

    coef_: NDArray[np.float64]
    intercept_: NDArray[np.float64]
    classes_: NDArray[np.int64]

    def predict_proba(self, inputs: Any) -> NDArray[np.float64]:
        """Return probabilities (b, c)."""
        shares = 1 / (1 + np.exp(-np.clip(inputs @ self.coef_.T + self.intercept_, -500, 500)))
        return np.asarray(shares / shares.sum(axis=1, keepdims=True))


class _Course:
    """Fits on the same rows with one penalty after another, each from the last one's weights."""

    def __init__(self, train: Sample, schema: Schema) -> None:
        if train.wide is None:
            raise DataError("rows without text or series", "a column of one", "Leave the model `Wide` out")
        self.schema, self.train = schema, train
        self.matrix = WideMatrix(LinearMatrix.fit(train.rows, schema))
        self.inputs = self.matrix.of(train.rows, train.wide)
        self.last: dict[int, Any] = {}

    def fit(self, penalty: float) -> FittedBasic:
        train = self.train
        if self.schema.target.task == "regression":
            from sklearn.linear_model import Ridge

            model: Any = Ridge(alpha=penalty * train.mass, solver="sparse_cg", max_iter=300, tol=1e-4)
            model.fit(self.inputs, train.target, sample_weight=train.weight)
        elif len(classes := np.unique(train.target.astype(np.int64))) == 2:
            model = self._one(0, train.target, penalty)
        else:
            each = [self._one(k, train.target == code, penalty) for k, code in enumerate(classes)]
            weights = np.concatenate([one.coef_ for one in each])
            model = OneVsRest(weights, np.concatenate([one.intercept_ for one in each]), classes)
        count = int(np.size(model.coef_) + np.size(model.intercept_))
        return FittedBasic.around(
            "wide", model, self.matrix, self.schema,
            settings={"penalty": penalty}, rebuilt={"grid": (penalty,)}, parameters=count,
        )  # fmt: skip

    def _one(self, number: int, target: NDArray[Any], penalty: float) -> Any:
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.linear_model import LogisticRegression

        model = LogisticRegression(C=1 / (penalty * self.train.mass), warm_start=True, max_iter=100, tol=1e-5)
        if number in self.last:
            last = self.last[number]
            model.coef_, model.intercept_ = last.coef_.copy(), last.intercept_.copy()
        with warnings.catch_warnings():  # weights that have not settled are judged by the held rows like any others
            warnings.filterwarnings("ignore", category=ConvergenceWarning)
            model.fit(self.inputs, target, sample_weight=self.train.weight)
        self.last[number] = copy.copy(model)
        return model
