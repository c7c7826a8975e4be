"""Calibrators as part of a bundle's graph: log probabilities in, scores for the last softmax out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from temperance.deployment.sketch import Sketch
from temperance.evaluation.calibration import Beta, Calibrator, Identity, Matrix, Quadratic, Temperature
from temperance.evaluation.calibration.base import LEAST
from temperance.records.errors import BundleError


def draw_calibrator(sketch: Sketch, logs: str, calibrator: Calibrator, *, classes: int) -> str:
    """Add a calibrator to the graph.

    Args:
        sketch: the graph.
        logs: log probabilities (b, c), float64.
        calibrator: the map.
        classes: count c.

    Returns:
        Scores (b, c), up to a constant per row.

    Raises:
        BundleError: a calibrator for another count of classes, or of a kind that has no rule.

    """
    if isinstance(calibrator, Identity):
        return logs
    width = len(calibrator.shift) if isinstance(calibrator, Matrix) else classes
    width = 2 if isinstance(calibrator, (Quadratic, Beta)) else width
    if type(calibrator) not in _RULES or width != classes:
        raise BundleError(
            f"a {calibrator.kind} calibrator for {width} classes where the target has {classes}",
            f"one of {', '.join(kind.kind for kind in _RULES)} for the classes of the target", "Fit it on this target",
        )  # fmt: skip
    return _RULES[type(calibrator)](sketch, sketch.add("Max", logs, _number(sketch, np.log(LEAST))), calibrator)


def _temperature(sketch: Sketch, logs: str, fitted: Any) -> str:
    return sketch.add("Div", logs, _number(sketch, fitted.value))


def _matrix(sketch: Sketch, logs: str, fitted: Any) -> str:
    weight = np.asarray(fitted.weight)
    return _affine(sketch, logs, (weight - weight.mean(axis=1, keepdims=True)).T, np.asarray(fitted.shift))


def _beta(sketch: Sketch, logs: str, fitted: Any) -> str:
    weight = np.outer([-fitted.first, fitted.second], [-0.5, 0.5])
    return _affine(sketch, logs, weight, np.array([-0.5, 0.5]) * fitted.shift)


def _quadratic(sketch: Sketch, logs: str, fitted: Any) -> str:
    def number(value: float) -> str:
        return _number(sketch, value)

    z = sketch.add("MatMul", logs, sketch.constant([[-1.0], [1.0]], np.float64))
    inside = sketch.add("Max", sketch.add("Min", z, number(fitted.high)), number(fitted.low))
    up = sketch.add("Sub", inside, number(fitted.low))
    area = sketch.add("Div", sketch.add("Mul", up, up), number(2 * (fitted.high - fitted.low)))
    above = sketch.add("Max", sketch.add("Sub", z, number(fitted.high)), number(0.0))
    bent = sketch.add("Add", area, above)
    turned = sketch.add(
        "Add",
        sketch.add("Mul", z, number(fitted.first)),
        sketch.add("Mul", bent, number(fitted.last - fitted.first)),
    )
    shifted = sketch.add("Add", turned, number(fitted.shift - (fitted.last - fitted.first) * fitted.start))
    return sketch.add("MatMul", shifted, sketch.constant([[-0.5, 0.5]], np.float64))


def _affine(sketch: Sketch, logs: str, weight: NDArray[np.float64], shift: NDArray[np.float64]) -> str:
    turned = sketch.add("MatMul", logs, sketch.constant(weight, np.float64))
    return sketch.add("Add", turned, sketch.constant(shift, np.float64))


def _number(sketch: Sketch, value: float) -> str:
    return sketch.constant(value, np.float64)


_RULES: dict[type[Calibrator], Callable[[Sketch, str, Any], str]] = {
    Temperature: _temperature, Quadratic: _quadratic, Beta: _beta, Matrix: _matrix,
}  # fmt: skip
