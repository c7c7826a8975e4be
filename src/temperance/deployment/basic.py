"""The basic models of ``models.basic`` as parts of a bundle."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from temperance.deployment.base import Part
from temperance.deployment.boosting import Boosting
from temperance.deployment.constant import Constant
from temperance.deployment.linear import Linear
from temperance.deployment.pixels import Pixels
from temperance.models.basic import FLOOR, FittedBasic, LinearMatrix
from temperance.models.pixels import PixelMatrix
from temperance.records.errors import BundleError
from temperance.records.schema import Schema


def basic_part(fitted: FittedBasic, schema: Schema) -> Part:
    """Return the part that gives the same answers as ``fitted.predict``.

    Raises:
        BundleError: a kind of basic model that has no rule for export.

    """
    if fitted.name == "majority":
        return Constant(np.asarray(fitted.model, dtype=np.float64))
    words = tuple(column.vocabulary for column in schema.categorical)
    if fitted.name == "boosting":
        return Boosting.fitted(fitted.model, words, classes=fitted.classes, floor=FLOOR)
    if fitted.name == "linear" and isinstance(fitted.matrix, LinearMatrix):
        return _linear(fitted, fitted.matrix, words)
    if fitted.name == "linear" and isinstance(fitted.matrix, PixelMatrix):
        return _pixels(fitted, fitted.matrix)
    raise BundleError(f"the model {fitted.name!r} cannot be exported", "majority, linear and boosting can")


def _linear(fitted: FittedBasic, matrix: LinearMatrix, words: tuple[tuple[str, ...], ...]) -> Linear:
    coefficients, intercept = _coefficients(fitted)
    first = len(matrix.median) + len(matrix.flagged)
    ends = np.cumsum([first, *matrix.levels])
    tables = tuple(coefficients[a:b] for a, b in pairwise(ends))
    return Linear(
        matrix.median, matrix.centre, matrix.factor, matrix.flagged, coefficients[:first], words, tables, intercept,
        fitted.classes, FLOOR,
    )  # fmt: skip


def _pixels(fitted: FittedBasic, matrix: PixelMatrix) -> Pixels:
    coefficients, intercept = _coefficients(fitted)
    return Pixels(
        matrix.down, matrix.across, matrix.centre, matrix.factor, coefficients, intercept, fitted.classes, FLOOR
    )


def _coefficients(fitted: FittedBasic) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return weights (inputs, scores) and intercepts (scores,)."""
    weight = np.atleast_2d(np.asarray(fitted.model.coef_, dtype=np.float64)).T
    return weight, np.asarray(fitted.model.intercept_, dtype=np.float64).reshape(-1)
