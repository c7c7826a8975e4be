"""What every exportable model has in common: it can draw itself into an ONNX graph."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from temperance.deployment.calibrator import draw_calibrator
from temperance.deployment.sketch import Sketch
from temperance.evaluation.calibration import Calibrator
from temperance.records.errors import BundleError
from temperance.records.schema import Target


class Part(ABC):
    """A fitted model, or one member of an ensemble. The settings are frozen; the verb is ``draw``."""

    @abstractmethod
    def draw(self, sketch: Sketch, target: Target) -> str:
        """Add the model to the graph, from the raw inputs on.

        Returns:
            The name of the log-probabilities (b, c), or of the values (b,) for regression; float64. The logarithm keeps
            its digits where a probability would round to 0, so calibration and averaging stay exact.

        """

    @abstractmethod
    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the learned arrays by name, for ``weights.safetensors``."""


def model_graph(part: Part, sketch: Sketch, target: Target, *, calibrator: Calibrator | None = None) -> Any:
    """Draw a part and its outputs and return the finished ``ModelProto``.

    Classification gives ``probabilities`` (b, c), after the calibrator where there is one; regression gives ``value``
    (b,).

    Raises:
        BundleError: the calibrator does not fit the target, or the graph is not valid.

    """
    result = part.draw(sketch, target)
    if target.task == "regression":
        return sketch.finish({"value": (result, ["b"])})
    classes = len(target.classes)
    if calibrator is not None:
        result = draw_calibrator(sketch, result, calibrator, classes=classes)
    return sketch.finish({"probabilities": (sketch.add("Softmax", result, axis=-1), ["b", classes])})


def log_probabilities(
    sketch: Sketch, logits: str, *, rank: int, width: int, classes: int, shares: NDArray[np.float64] | None = None
) -> str:
    """Turn logits into log-probabilities (b, c) float64.

    Args:
        sketch: the graph.
        logits: (b,), (b, c) or, for a net with k members, (b, k, c); a single logit of two classes stands for class 1.
        rank: count of axes of the logits.
        width: size of their last axis (1 when they have one axis).
        classes: count c.
        shares: weights (k,) of the members, summing to 1; None: all count the same.

    Raises:
        BundleError: the outputs do not fit the classes.

    """
    logits = sketch.cast(logits, np.float64)
    if rank == 1:
        logits, rank = sketch.add("Unsqueeze", logits, sketch.constant([1], np.int64)), 2
    if width == 1 and classes == 2:
        zeros = sketch.add("Mul", logits, sketch.constant(0.0, np.float64))
        logits, width = sketch.add("Concat", zeros, logits, axis=-1), 2
    if width != classes or rank not in (2, 3):
        raise BundleError(f"the model gives {width} outputs on {rank} axes", f"the target has {classes} classes")
    logs = sketch.add("LogSoftmax", logits, axis=-1)
    return logs if rank == 2 else log_mean(sketch, logs, shares)


def place(sketch: Sketch, logs: str, *, classes: tuple[int, ...], outputs: int, floor: float) -> str:
    """Spread log-probabilities (b, c') over all classes (b, c), each at least ``floor`` before scaling to sum 1.

    Args:
        sketch: the graph.
        logs: for the classes that training rows had.
        classes: their numbers, in order.
        outputs: c.
        floor: smallest share; 0 leaves the shares as they are.

    """
    if floor <= 0 and classes == tuple(range(outputs)):
        return logs
    shares = sketch.add("Exp", logs)
    if classes != tuple(range(outputs)):
        chosen = np.zeros((len(classes), outputs))
        chosen[np.arange(len(classes)), list(classes)] = 1.0
        shares = sketch.add("MatMul", shares, sketch.constant(chosen, np.float64))
    least = max(floor, np.finfo(np.float64).tiny)
    raised = sketch.add("Max", shares, sketch.constant(least, np.float64))
    return sketch.add("LogSoftmax", sketch.add("Log", raised), axis=-1)


def finish_scores(
    sketch: Sketch, scores: str, target: Target, *, width: int, classes: tuple[int, ...], floor: float,
    log: bool = False,
) -> str:  # fmt: skip
    """Turn the scores (b, width) of a basic model into what ``Part.draw`` returns.

    Args:
        sketch: the graph.
        scores: (b, 1) values for regression; a score per class, or one score of two classes.
        target: what is predicted.
        width: count of scores.
        classes: numbers of the classes that training rows had; empty = all.
        floor: smallest probability given to a class.
        log: the values are logs of the prediction.

    """
    if target.task == "regression":
        if log:
            scores = sketch.add("Exp", scores)
        elif target.counts:
            scores = sketch.add("Max", scores, sketch.constant(0.0, np.float64))
        return sketch.add("Squeeze", scores, sketch.constant([1], np.int64))
    outputs = len(target.classes)
    known = classes or tuple(range(outputs))
    logs = log_probabilities(sketch, scores, rank=2, width=width, classes=len(known))
    return place(sketch, logs, classes=known, outputs=outputs, floor=floor)


def log_mean(sketch: Sketch, logs: str, weights: NDArray[np.float64] | None = None) -> str:
    """Average probabilities over the member axis: (b, k, c) → (b, c), as log Σ w exp(log p).

    Args:
        sketch: the graph.
        logs: log-probabilities (b, k, c).
        weights: (k,), summing to 1; without them every member counts the same.

    """
    axis = sketch.constant([1], np.int64)
    if weights is not None:
        logs = sketch.add("Add", logs, sketch.constant(np.log(weights)[None, :, None], np.float64))
    summed = sketch.add("ReduceLogSumExp", logs, axis, keepdims=0)
    return summed if weights is not None else sketch.add("LogSoftmax", summed, axis=-1)
