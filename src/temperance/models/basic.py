"""Basic models that always compete: majority or mean, a regularized linear model, histogram gradient boosting.

All take raw ``Rows`` (no preprocessing of ours) and define their own input matrix, so that an exporter can rebuild it:

- ``Majority``: no inputs.
- ``Linear``: ``LinearMatrix``, columns in this order: each numeric column with missing → median, minus ``centre``,
  times ``factor``; then one 0/1 column per numeric column that had missing values in training (1 = missing); then per
  categorical column one 0/1 column per code 0 … len(vocabulary) − 1; missing and unseen categories are all zeros.
  Images: ``PixelMatrix`` in ``models.pixels``, area means of at most 16 × 16 pixels per channel.
- ``Boosting``: ``TreeMatrix``, columns in this order: numeric columns as they are, float64, missing = NaN; then one
  column per categorical column that holds the code as float64, missing and unseen = NaN. Columns listed in
  ``as_category`` are split by sets of codes (at most 255 codes), the other categorical columns as ordinary numbers.

The scikit-learn object is ``fitted.model``; its probabilities are placed by ``fitted.classes`` (class numbers present
in training); every class gets at least ``FLOOR``, then rows are scaled to sum to 1.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from temperance.models.pixels import PixelMatrix
from temperance.records.errors import DataError
from temperance.records.registry import Registry
from temperance.records.schema import Rows, Schema, Task

Matrix = NDArray[np.float64]
FLOOR = 1e-6  # smallest probability given to a class, so that one surprise does not make the log loss infinite


@dataclass(frozen=True)
class FittedBasic:
    """A fitted basic model.

    Attributes:
        name: ``majority``, ``linear`` or ``boosting``.
        task: ``binary``, ``multiclass`` or ``regression``.
        outputs: classes, or 1.
        matrix: turns rows into the input of ``model``; None where there are no inputs.
        model: the scikit-learn object, or the constant answer (c,) of ``Majority``.
        classes: class numbers in the order of the model's probability columns.
        settings: what was chosen, e.g. ``{"C": 1.0}``.

    """

    name: str
    task: Task
    outputs: int
    matrix: LinearMatrix | TreeMatrix | PixelMatrix | None
    model: Any
    classes: tuple[int, ...]
    settings: dict[str, float]

    @classmethod
    def around(
        cls,
        name: str,
        model: Any,
        matrix: LinearMatrix | TreeMatrix | PixelMatrix,
        schema: Schema,
        settings: dict[str, float],
    ) -> FittedBasic:
        """Take over a fitted scikit-learn model with the classes that it knows."""
        task = schema.target.task
        classes = () if task == "regression" else tuple(int(c) for c in model.classes_)
        return cls(name, task, schema.target.outputs, matrix, model, classes, settings)

    def predict(self, rows: Rows) -> NDArray[np.float64]:
        """Return probabilities (b, c), rows summing to 1, or values (b,)."""
        if self.matrix is None:
            constant = np.asarray(self.model, dtype=np.float64)
            return np.full(rows.size, constant[0]) if self.task == "regression" else np.tile(constant, (rows.size, 1))
        inputs = self.matrix.of(rows)
        if self.task == "regression":
            return np.asarray(self.model.predict(inputs), dtype=np.float64)
        return _spread(self.model.predict_proba(inputs), self.classes, self.outputs)


@dataclass(frozen=True)
class LinearMatrix:
    """Scaled numbers, flags of missing values, one-hot categories: see the module's docstring.

    Attributes:
        median: (n,) what replaces a missing number.
        centre: (n,) subtracted.
        factor: (n,) multiplied, 0 for a constant column.
        flagged: numbers of the numeric columns that get a flag.
        levels: count of one-hot columns per categorical column.

    """

    median: Matrix
    centre: Matrix
    factor: Matrix
    flagged: tuple[int, ...]
    levels: tuple[int, ...]

    @classmethod
    def fit(cls, rows: Rows, schema: Schema) -> LinearMatrix:
        """Take medians, means and standard deviations from ``rows``."""
        numbers = rows.numeric
        absent = np.isnan(numbers)
        median = np.array([np.median(c[~a]) if (~a).any() else 0.0 for c, a in zip(numbers.T, absent.T, strict=True)])
        full = np.where(absent, median, numbers)
        centre = full.mean(axis=0)
        deviation = full.std(axis=0)
        steady = deviation <= 1e-12 * np.maximum(1.0, np.abs(centre))
        factor = np.where(steady, 0.0, 1 / np.where(steady, 1.0, deviation))
        flagged = tuple(int(j) for j in np.flatnonzero(absent.any(axis=0)))
        return cls(median, centre, factor, flagged, tuple(len(c.vocabulary) for c in schema.categorical))

    def of(self, rows: Rows) -> Matrix:
        """Return the matrix (b, n + flags + Σ levels)."""
        absent = np.isnan(rows.numeric)
        numbers = (np.where(absent, self.median, rows.numeric) - self.centre) * self.factor
        blocks = [numbers, absent[:, list(self.flagged)].astype(np.float64)]
        for codes, levels in zip(rows.categorical.T, self.levels, strict=True):
            blocks.append((codes[:, None] == np.arange(levels)).astype(np.float64))
        return np.concatenate(blocks, axis=1)


@dataclass(frozen=True)
class TreeMatrix:
    """Raw numbers and category codes: see the module's docstring. ``as_category`` are column numbers of the matrix."""

    as_category: tuple[int, ...]

    @classmethod
    def fit(cls, schema: Schema) -> TreeMatrix:
        """Treat a categorical column as a set of codes where scikit-learn can (at most 255)."""
        start = len(schema.numeric)
        small = [start + j for j, column in enumerate(schema.categorical) if 1 <= len(column.vocabulary) <= 255]
        return cls(tuple(small))

    def of(self, rows: Rows) -> Matrix:
        """Return the matrix (b, n + m)."""
        codes = np.where(rows.categorical < 0, np.nan, rows.categorical.astype(np.float64))
        return np.concatenate([rows.numeric, codes], axis=1)


class BasicModel(ABC):
    """Frozen settings of one basic model; the verb is ``fit``."""

    name: str

    @abstractmethod
    def fit(
        self,
        rows: Rows,
        target: NDArray[Any],
        *,
        schema: Schema,
        valid: tuple[Rows, NDArray[Any]] | None,
        seed: int = 0,
    ) -> FittedBasic:
        """Fit on ``rows``; ``valid`` rows choose the strength or the stopping point and are not trained on.

        Args:
            rows: training rows.
            target: class numbers (b,), or values (b,).
            schema: columns and target.
            valid: rows and target that choose; None: nothing is chosen, the first penalty and all ``most_trees`` are
                used (to refit what an earlier fit chose).
            seed: seed of what is random.

        Raises:
            DataError: only one class, or images where the model takes tables.

        """


BASIC: Registry[BasicModel] = Registry("basic model", "temperance.basic_models")


@BASIC.add
@dataclass(frozen=True)
class Majority(BasicModel):
    """Answer the same for every row: the share of each class, or the mean."""

    name = "majority"

    def fit(
        self,
        rows: Rows,
        target: NDArray[Any],
        *,
        schema: Schema,
        valid: tuple[Rows, NDArray[Any]] | None,
        seed: int = 0,
    ) -> FittedBasic:
        task, outputs = schema.target.task, schema.target.outputs
        if task == "regression":
            return FittedBasic("majority", task, outputs, None, np.array([float(target.mean())]), (), {})
        counts = np.bincount(target.astype(np.int64), minlength=outputs) + 1.0  # one more each: no share is 0
        shares = counts / counts.sum()
        return FittedBasic("majority", task, outputs, None, shares, tuple(range(outputs)), {})


@BASIC.add
@dataclass(frozen=True)
class Linear(BasicModel):
    """Logistic regression or ridge; the strength is the one of ``grid`` that does best on the validation rows.

    On images the search goes from strong to weak and ends at the first strength that does worse.

    Attributes:
        grid: penalties relative to the loss per row: λ = 1 / (C·rows) for logistic, α / rows for ridge.
        most_rows: rows used, drawn at random where there are more; a linear model gains little from more.

    """

    name = "linear"
    grid: tuple[float, ...] = (1e-5, 1e-4, 1e-3, 1e-2, 1e-1)
    most_rows: int = 50_000

    def fit(
        self,
        rows: Rows,
        target: NDArray[Any],
        *,
        schema: Schema,
        valid: tuple[Rows, NDArray[Any]] | None,
        seed: int = 0,
    ) -> FittedBasic:
        if rows.size > self.most_rows:
            chosen = np.sort(np.random.default_rng(seed).choice(rows.size, self.most_rows, replace=False))
            rows, target = rows.take(chosen), target[chosen]
        matrix = LinearMatrix.fit(rows, schema) if rows.images is None else PixelMatrix.fit(rows.images)
        inputs = matrix.of(rows)
        best: tuple[float, FittedBasic] | None = None
        for penalty in self.grid if valid is None else sorted(self.grid, reverse=True):
            model = _linear(schema.target.task, penalty=penalty, rows=rows.size)
            _train(model, inputs, target, schema.target.task)
            fitted = FittedBasic.around("linear", model, matrix, schema, {"penalty": penalty})
            if valid is None:
                return fitted
            score = _loss(fitted, valid)
            if best is None or score < best[0]:
                best = (score, fitted)
            elif rows.images is not None:
                break  # weaker penalties take the longest, and pixels are many
        if best is None:
            raise DataError("an empty grid of penalties", "at least one penalty", "Leave `grid` at its default")
        return best[1]


@BASIC.add
@dataclass(frozen=True)
class Boosting(BasicModel):
    """Histogram gradient boosting that stops where the validation rows no longer gain.

    Attributes:
        learning_rate: share of each tree that is added.
        most_trees: most trees (per class).
        leaves: most leaves of a tree.
        least_rows: fewest rows in a leaf.
        l2: penalty on leaf values.
        features: share of columns tried at each split.
        patience: trees without gain before it stops.

    """

    name = "boosting"
    learning_rate: float = 0.05
    most_trees: int = 1000
    leaves: int = 31
    least_rows: int = 20
    l2: float = 0.0
    features: float = 1.0
    patience: int = 30

    def fit(
        self,
        rows: Rows,
        target: NDArray[Any],
        *,
        schema: Schema,
        valid: tuple[Rows, NDArray[Any]] | None,
        seed: int = 0,
    ) -> FittedBasic:
        if rows.images is not None:
            raise DataError("images", "numeric and categorical columns", "Use `Linear` or a net for images")
        from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

        task, matrix = schema.target.task, TreeMatrix.fit(schema)
        kind = HistGradientBoostingRegressor if task == "regression" else HistGradientBoostingClassifier
        model = kind(
            learning_rate=self.learning_rate,
            max_iter=self.most_trees,
            max_leaf_nodes=self.leaves,
            min_samples_leaf=self.least_rows,
            l2_regularization=self.l2,
            max_features=self.features,
            categorical_features=list(matrix.as_category) or None,
            early_stopping=valid is not None,
            n_iter_no_change=self.patience,
            random_state=seed,
        )
        _train(model, matrix.of(rows), target, task, **_checked(matrix, target, valid, task))
        settings = {"learning_rate": self.learning_rate, "trees": float(model.n_iter_), "leaves": float(self.leaves)}
        return FittedBasic.around("boosting", model, matrix, schema, settings)


def _train(model: Any, inputs: Matrix, target: NDArray[Any], task: Task, **checked: Any) -> None:
    if task != "regression" and len(np.unique(target)) < 2:
        raise DataError("training rows of one class only", "rows of at least two classes", "Give more rows")
    model.fit(inputs, target, **checked)


def _checked(
    matrix: TreeMatrix, target: NDArray[Any], valid: tuple[Rows, NDArray[Any]] | None, task: Task
) -> dict[str, Any]:
    if valid is None:
        return {}
    rows, truth = valid
    kept = np.ones(len(truth), bool) if task == "regression" else np.isin(truth, target)
    if not kept.any():
        raise DataError("no validation row of a class seen in training", "at least one", "Give more rows")
    return {"X_val": matrix.of(rows.take(kept)), "y_val": truth[kept]}


def _linear(task: Task, *, penalty: float, rows: int) -> Any:
    from sklearn.linear_model import LogisticRegression, Ridge

    if task == "regression":
        return Ridge(alpha=penalty * rows)
    return LogisticRegression(C=1 / (penalty * rows), max_iter=200, tol=1e-3)


def _loss(fitted: FittedBasic, valid: tuple[Rows, NDArray[Any]]) -> float:
    rows, target = valid
    predicted = fitted.predict(rows)
    if fitted.task == "regression":
        return float(np.mean((predicted - target) ** 2))
    return float(-np.log(predicted[np.arange(len(target)), target.astype(np.int64)]).mean())


def _spread(shares: NDArray[np.float64], classes: tuple[int, ...], outputs: int) -> NDArray[np.float64]:
    full = np.full((len(shares), outputs), FLOOR)
    full[:, list(classes)] = np.maximum(shares, FLOOR)
    scaled: NDArray[np.float64] = full / full.sum(axis=1, keepdims=True)
    return scaled
