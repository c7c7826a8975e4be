"""The basic models of ``models.basic`` as parts of a bundle."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from temperance.data.blocks import Blocks, ScoreBlock
from temperance.deployment.base import Part
from temperance.deployment.boosting import Boosting
from temperance.deployment.constant import Constant
from temperance.deployment.forest import Forest
from temperance.deployment.linear import Linear
from temperance.deployment.pixels import Pixels
from temperance.deployment.widened import Widened
from temperance.deployment.words import Words
from temperance.models.basic import CodeMatrix, FittedBasic, LinearMatrix, WideMatrix
from temperance.models.basic.wide import OneVsRest
from temperance.models.pixels import PixelMatrix
from temperance.records.errors import BundleError
from temperance.records.schema import Schema

FORESTS = ("RandomForestClassifier", "RandomForestRegressor", "ExtraTreesClassifier", "ExtraTreesRegressor")
LINEAR = ("LogisticRegression", "LogisticRegressionCV", "Ridge", "RidgeCV", "LinearRegression", "Lasso", "ElasticNet")
COPIES = ("linear", "persistence", "seasonal persistence")
KINDS = ("majority", "linear", "boosting", "lightgbm", "catboost", "extratrees")


def basic_part(fitted: FittedBasic, schema: Schema) -> Part:
    """Return the part that gives the same answers as ``fitted.predict``; with what widens its rows.

    Raises:
        BundleError: a kind of basic model that has no rule for export.

    """
    if fitted.name == "majority":
        return Constant(np.asarray(fitted.model, dtype=np.float64))
    if isinstance(fitted.matrix, WideMatrix):
        return _words(fitted, fitted.matrix, schema)
    if isinstance(fitted.inputs, Blocks):
        return Widened(basic_part(replace(fitted, inputs=None), fitted.inputs.widened), fitted.inputs)
    words = tuple(column.vocabulary for column in schema.categorical)
    model = fitted.model
    placed: dict[str, Any] = {"classes": fitted.classes, "floor": fitted.floor}
    if fitted.name == "boosting":
        return Boosting.fitted(model, words, **placed)
    if fitted.name == "lightgbm":
        return Boosting.lightgbm(model.booster, words, trees=model.trees, **placed)
    if fitted.name == "catboost":
        return Forest.catboost(model.model, fitted.matrix, words, trees=model.trees, **placed)
    if fitted.name == "extratrees":
        return Forest.fitted(model, fitted.matrix, words, **placed)
    kind = type(model).__name__
    if fitted.name == "outside" and kind in FORESTS and isinstance(fitted.matrix, CodeMatrix):
        return Forest.fitted(model, fitted.matrix, words, **placed)
    if fitted.name == "outside" and kind in LINEAR and isinstance(fitted.matrix, LinearMatrix):
        return _linear(fitted, fitted.matrix, words)
    if fitted.name in COPIES and isinstance(fitted.matrix, LinearMatrix):
        return _linear(fitted, fitted.matrix, words)
    if fitted.name == "linear" and isinstance(fitted.matrix, PixelMatrix):
        return _pixels(fitted, fitted.matrix)
    what = kind if fitted.name == "outside" else fitted.name
    raise BundleError(f"the model {what!r} cannot be exported", f"{', '.join(KINDS)} can")


def _words(fitted: FittedBasic, matrix: WideMatrix, schema: Schema) -> Words:
    if not isinstance(fitted.inputs, Blocks):
        raise BundleError("a linear model on words without its blocks", "the blocks that it was fitted with")
    blocks = tuple(block.words_only() for block in fitted.inputs.blocks if block.wide_width)
    counts = tuple(block.wide_width for block in blocks)
    coefficients, _ = _coefficients(fitted)
    block = ScoreBlock(blocks, coefficients[len(coefficients) - sum(counts) :].astype(np.float32), counts)
    vocabulary = tuple(column.vocabulary for column in schema.categorical)
    plain = _linear(fitted, matrix.plain, vocabulary, share=matrix.SHARE)
    return Words(block, plain, one_vs_rest=isinstance(fitted.model, OneVsRest))


def _linear(
    fitted: FittedBasic, matrix: LinearMatrix, words: tuple[tuple[str, ...], ...], *, share: float = 1.0
) -> Linear:
    coefficients, intercept = _coefficients(fitted)
    coefficients = share * coefficients
    first = len(matrix.median) + len(matrix.flagged)
    ends = np.cumsum([first, *matrix.levels])
    tables = tuple(coefficients[a:b] for a, b in pairwise(ends))
    return Linear(
        matrix.median, matrix.centre, matrix.factor, matrix.flagged, coefficients[:first], words, tables, intercept,
        fitted.classes, fitted.floor, getattr(fitted.model, "cap", None),
    )  # fmt: skip


def _pixels(fitted: FittedBasic, matrix: PixelMatrix) -> Pixels:
    coefficients, intercept = _coefficients(fitted)
    return Pixels(
        matrix.down, matrix.across, matrix.centre, matrix.factor, coefficients, intercept, fitted.classes, fitted.floor
    )


def _coefficients(fitted: FittedBasic) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return weights (inputs, scores) and intercepts (scores,)."""
    weight = np.atleast_2d(np.asarray(fitted.model.coef_, dtype=np.float64)).T
    return weight, np.asarray(fitted.model.intercept_, dtype=np.float64).reshape(-1)
