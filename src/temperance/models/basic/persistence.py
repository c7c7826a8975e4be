"""Forecasts without learning: what was last, or what was a season ago. Any forecast has to beat them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from temperance.models.basic.base import BASIC, BasicModel, FitPath, FittedBasic, Sample, same
from temperance.models.basic.matrices import LinearMatrix
from temperance.records.errors import DataError
from temperance.records.layout import lag_name
from temperance.records.schema import Schema


@dataclass(frozen=True)
class Copied:
    """Answers with one column of the matrix, as a linear model: coefficients 1 and 0, intercept 0.

    Shapes: coef_ (n,) · intercept_ ().
    """

    coef_: NDArray[np.float64]
    intercept_: float = 0.0

    def predict(self, inputs: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the column (b,) of inputs (b, n)."""
        answer: NDArray[np.float64] = inputs @ self.coef_
        return answer


@BASIC.add
@dataclass(frozen=True)
class Persistence(BasicModel):
    """Answer with the target's value at the shortest lag; where it is missing, with the training mean.

    Needs a schema with ``forecast``. Reference: Hyndman and Athanasopoulos 2021, Forecasting: Principles and Practice,
    3rd edition, section 5.2 (naive method).
    """

    name = "persistence"
    words = "the last known value"
    lag: int = 0

    @property
    def settled(self) -> bool:
        return self.lag > 0

    def lags(self, schema: Schema) -> tuple[int, ...]:
        """Return the lags to choose from.

        Raises:
            DataError: the rows hold no earlier values of the target.

        """
        if schema.forecast is None or schema.target.task != "regression":
            raise DataError("rows without earlier values of a numeric target", "a study with --lags", "Give --lags")
        return schema.forecast.lags[:1]

    def paths(self, train: Sample, held: Sample, *, schema: Schema, seed: int) -> Iterator[FitPath]:
        for lag in self.lags(schema):
            fitted = self._fit(train, schema, lag)
            yield FitPath(np.array([fitted.loss(held)]), held.mass, partial(same, fitted))

    def whole(self, train: Sample, *, schema: Schema, seed: int) -> FittedBasic:
        return self._fit(train, schema, self.lag or self.lags(schema)[0])

    def _fit(self, train: Sample, schema: Schema, lag: int) -> FittedBasic:
        n = len(schema.numeric)
        chosen = np.array([c.name == lag_name(schema.target.name, lag) for c in schema.numeric], dtype=np.float64)
        if not chosen.any():
            raise DataError(f"no column with the value {lag} before", "a column per lag", "Give --lags")
        mean = float(np.average(train.target, weights=train.weight))
        levels = tuple(len(c.vocabulary) for c in schema.categorical)
        matrix = LinearMatrix(np.full(n, mean), np.zeros(n), np.ones(n), (), levels)
        model = Copied(np.concatenate([chosen, np.zeros(sum(levels))]))
        return FittedBasic.around(
            self.name, model, matrix, schema, settings={"lag": float(lag)}, rebuilt={"lag": lag}, parameters=1
        )

    @classmethod
    def seconds(cls, rows: int, columns: int, outputs: int) -> float:
        return 0.02 + 1e-8 * rows * columns


@BASIC.add
@dataclass(frozen=True)
class SeasonalPersistence(Persistence):
    """Answer with the value at one of the longer lags, the one that does best on the held rows."""

    name = "seasonal persistence"
    words = "the value one season before"

    def lags(self, schema: Schema) -> tuple[int, ...]:
        found = super().lags(schema)
        return schema.forecast.lags[1:] or found if schema.forecast is not None else found
