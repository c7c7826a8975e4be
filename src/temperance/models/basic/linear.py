"""A linear model with an L2 penalty, from strong to weak: hard to beat below some hundred rows."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from temperance.models.basic.base import BASIC, AnyMatrix, BasicModel, FitPath, FittedBasic, Sample, thinned
from temperance.models.basic.matrices import LinearMatrix
from temperance.models.pixels import PixelMatrix
from temperance.records.errors import DataError
from temperance.records.schema import Schema

WORSE = 2  # penalties in a row that do worse, after which weaker ones are not tried (pixels: 1, they take the longest)


@BASIC.add
@dataclass(frozen=True)
class Linear(BasicModel):
    """Logistic regression or ridge; the strength is the one of ``grid`` that does best on the held rows.

    The search goes from strong to weak, each fit starting at the last one's weights, and ends where two penalties in a
    row do worse (on images: one).

    Attributes:
        grid: penalties relative to the loss per row: λ = 1 / (C·rows) for logistic, α / rows for ridge.
        most_rows: rows used, drawn at random where there are more; a linear model gains little from more.

    """

    name = "linear"
    words = "regularized linear model"
    takes_images = True
    grid: tuple[float, ...] = (3.0, 1.0, 0.3, 0.1, 3e-2, 1e-2, 3e-3, 1e-3, 1e-4, 1e-5)
    most_rows: int = 50_000

    def __post_init__(self) -> None:
        if not self.grid:
            raise DataError("an empty grid of penalties", "at least one penalty", "Leave `grid` at its default")

    @property
    def settled(self) -> bool:
        return len(self.grid) == 1

    def paths(self, train: Sample, held: Sample, *, schema: Schema, seed: int) -> Iterator[FitPath]:
        course = _Course(thinned(train, self.most_rows, seed), schema)
        patience = WORSE if train.rows.images is None else 1
        fits: list[FittedBasic] = []
        losses: list[float] = []
        for penalty in sorted(self.grid, reverse=True):
            fits.append(course.fit(penalty))
            losses.append(fits[-1].loss(held))
            if len(losses) - 1 - int(np.argmin(losses)) >= patience:
                break
        yield FitPath(np.array(losses), held.mass, lambda step: fits[step])

    def whole(self, train: Sample, *, schema: Schema, seed: int) -> FittedBasic:
        return _Course(thinned(train, self.most_rows, seed), schema).fit(self.grid[0])

    @classmethod
    def seconds(cls, rows: int, columns: int, outputs: int) -> float:
        terms = min(rows, cls.most_rows) * columns * (1 if outputs <= 2 else outputs)
        return 0.05 + 3e-7 * terms


@dataclass(frozen=True, eq=False)
class LogLinear:
    """exp(min(inputs · coef + intercept, cap)): a Poisson regression that does not run away where no row was seen."""

    coef_: NDArray[np.float64]
    intercept_: float
    cap: float

    @classmethod
    def fit(cls, inputs: Any, target: NDArray[Any], *, penalty: float, weight: NDArray[Any] | None) -> LogLinear:
        """Fit by scikit-learn; the cap is ten times the largest count.

        Shapes: inputs (b, f), target and weight (b,).
        """
        from sklearn.linear_model import PoissonRegressor

        model = PoissonRegressor(alpha=penalty, max_iter=300).fit(inputs, target, sample_weight=weight)
        return cls(model.coef_, float(model.intercept_), float(np.log(10 * max(1.0, float(np.max(target))))))

    def predict(self, inputs: Any) -> NDArray[np.float64]:
        """Return means (b,)."""
        found: NDArray[np.float64] = np.exp(np.minimum(inputs @ self.coef_ + self.intercept_, self.cap))
        return found


class _Course:
    """Fits on the same rows with one penalty after another, each from the last one's weights."""

    def __init__(self, train: Sample, schema: Schema) -> None:
        self.schema, self.train = schema, train
        images = train.rows.images
        self.matrix: AnyMatrix = LinearMatrix.fit(train.rows, schema) if images is None else PixelMatrix.fit(images)
        self.inputs = self.matrix.of(train.rows)
        self.last: Any = None

    def fit(self, penalty: float) -> FittedBasic:
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.linear_model import LogisticRegression, Ridge

        train, counts = self.train, self.schema.target.counts
        if counts and train.rows.images is None:
            return self._of_counts(penalty)
        if self.schema.target.task == "regression":
            model = Ridge(alpha=penalty * train.mass)
        else:
            steps = {"max_iter": 1000, "tol": 1e-4} if train.rows.images is None else {"max_iter": 200, "tol": 1e-3}
            model = LogisticRegression(C=1 / (penalty * train.mass), warm_start=True, **steps)
            if self.last is not None:
                model.coef_, model.intercept_ = self.last.coef_.copy(), self.last.intercept_.copy()
        with warnings.catch_warnings():  # weights that have not settled are judged by the held rows like any others
            warnings.filterwarnings("ignore", category=ConvergenceWarning)
            model.fit(self.inputs, train.target, sample_weight=train.weight)
        self.last = copy.copy(model)
        count = int(np.size(model.coef_) + np.size(model.intercept_))
        return FittedBasic.around(
            "linear", model, self.matrix, self.schema,
            settings={"penalty": penalty}, rebuilt={"grid": (penalty,)}, parameters=count,
        )  # fmt: skip

    def _of_counts(self, penalty: float) -> FittedBasic:
        from sklearn.exceptions import ConvergenceWarning

        train = self.train
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", category=ConvergenceWarning)
            model = LogLinear.fit(self.inputs, train.target, penalty=penalty, weight=train.weight)
        return FittedBasic.around(
            "linear", model, self.matrix, self.schema,
            settings={"penalty": penalty}, rebuilt={"grid": (penalty,)}, parameters=model.coef_.size + 1,
        )  # fmt: skip
