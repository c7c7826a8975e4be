"""A linear model on the many numbers that texts and series have: weighed words and letters, answers of kernels."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from temperance.models.basic.base import BASIC, BasicModel, FitPath, FittedBasic, Sample, thinned
from temperance.models.basic.matrices import LinearMatrix, WideMatrix
from temperance.records.errors import DataError
from temperance.records.schema import Schema

PATIENCE = 1  # penalties in a row that do worse, after which weaker ones are not tried


@BASIC.add
@dataclass(frozen=True)
class Wide(BasicModel):
    """Logistic regression or ridge on the wide numbers of blocks, beside scaled numbers and one-hot categories.

    The strength is the one of ``grid`` that does best on the held rows, from strong to weak as in ``Linear``.

    Attributes:
        grid: penalties relative to the loss per row: λ = 1 / (C·rows) for logistic, α / rows for ridge.
        most_rows: rows used, drawn at random where there are more.

    """

    name = "wide"
    words = "wide linear model"
    takes_wide = True
    grid: tuple[float, ...] = (1e-3, 3e-4, 1e-4, 3e-5, 1e-5, 3e-6)
    most_rows: int = 100_000

    def __post_init__(self) -> None:
        if not self.grid:
            raise DataError("an empty grid of penalties", "at least one penalty", "Leave `grid` at its default")

    @property
    def settled(self) -> bool:
        return len(self.grid) == 1

    def paths(self, train: Sample, held: Sample, *, schema: Schema, seed: int) -> Iterator[FitPath]:
        course = _Course(thinned(train, self.most_rows, seed), schema)
        fits: list[FittedBasic] = []
        losses: list[float] = []
        for penalty in sorted(self.grid, reverse=True):
            fits.append(course.fit(penalty))
            losses.append(fits[-1].loss(held))
            if len(losses) - 1 - int(np.argmin(losses)) >= PATIENCE:
                break
        yield FitPath(np.array(losses), held.mass, lambda step: fits[step])

    def whole(self, train: Sample, *, schema: Schema, seed: int) -> FittedBasic:
        return _Course(thinned(train, self.most_rows, seed), schema).fit(self.grid[0])

    @classmethod
    def seconds(cls, rows: int, columns: int, outputs: int) -> float:
        return 0.5 + 6e-4 * min(rows, cls.most_rows) * (1 if outputs <= 2 else outputs)


class _Course:
    """Fits on the same rows with one penalty after another, each from the last one's weights."""

    def __init__(self, train: Sample, schema: Schema) -> None:
        if train.wide is None:
            raise DataError("rows without text or series", "a column of one", "Leave the model `Wide` out")
        self.schema, self.train = schema, train
        self.matrix = WideMatrix(LinearMatrix.fit(train.rows, schema))
        self.inputs = self.matrix.of(train.rows, train.wide)
        self.last: Any = None

    def fit(self, penalty: float) -> FittedBasic:
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.linear_model import LogisticRegression, Ridge

        train = self.train
        if self.schema.target.task == "regression":
            model = Ridge(alpha=penalty * train.mass, solver="sparse_cg", max_iter=300, tol=1e-4)
        else:
            model = LogisticRegression(C=1 / (penalty * train.mass), warm_start=True, max_iter=200, tol=1e-3)
            if self.last is not None:
                model.coef_, model.intercept_ = self.last.coef_.copy(), self.last.intercept_.copy()
        with warnings.catch_warnings():  # weights that have not settled are judged by the held rows like any others
            warnings.filterwarnings("ignore", category=ConvergenceWarning)
            model.fit(self.inputs, train.target, sample_weight=train.weight)
        self.last = copy.copy(model)
        count = int(np.size(model.coef_) + np.size(model.intercept_))
        return FittedBasic.around(
            "wide", model, self.matrix, self.schema,
            settings={"penalty": penalty}, rebuilt={"grid": (penalty,)}, parameters=count,
        )  # fmt: skip
