"""What every basic model has in common: frozen settings, paths of held-out losses, a fitted model that answers."""

from __future__ import annotations

import math
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from importlib.util import find_spec
from typing import Any, ClassVar, NamedTuple, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from temperance.models.basic.matrices import CodeMatrix, FrameMatrix, LinearMatrix, Matrix, TreeMatrix, WideMatrix
from temperance.models.pixels import PixelMatrix
from temperance.records.errors import DataError
from temperance.records.registry import Registry
from temperance.records.schema import Rows, Schema, Task

FLOOR = 1e-6  # smallest probability given to a class, so that one surprise does not make the log loss infinite
AnyMatrix = LinearMatrix | TreeMatrix | CodeMatrix | FrameMatrix | PixelMatrix | WideMatrix


class Inputs(Protocol):
    """Raw rows with further numbers that were computed from texts or series; ``data.blocks.Blocks`` is one."""

    @property
    def widened(self) -> Schema:
        """The schema with a numeric column per further number."""

    def rows(self, rows: Rows) -> Rows:
        """Return the rows with the further numbers behind the numeric ones."""

    def wide(self, rows: Rows) -> Any:
        """Return thousands of numbers (b, w) for a linear model, sparse or not; None: there are none."""


class Sample(NamedTuple):
    """Rows with their targets.

    Shapes: target (b,) class numbers or values · weight (b,), or None for all the same · wide (b, w), sparse or not,
    where a model asks for it.
    """

    rows: Rows
    target: NDArray[Any]
    weight: NDArray[np.float64] | None = None
    wide: Any = None

    def take(self, index: Any) -> Sample:
        """Select rows by an integer array, a mask or a slice."""
        weight = None if self.weight is None else self.weight[index]
        wide = None if self.wide is None else self.wide[index]
        return Sample(self.rows.take(index), self.target[index], weight, wide)

    def widened(self, inputs: Inputs, *, wide: bool = False) -> Sample:
        """Return the same with widened rows, or with the wide numbers beside the rows as they are."""
        return self._replace(wide=inputs.wide(self.rows)) if wide else self._replace(rows=inputs.rows(self.rows))

    @property
    def size(self) -> int:
        """Count of rows."""
        return len(self.target)

    @property
    def mass(self) -> float:
        """Sum of the weights."""
        return float(self.size if self.weight is None else self.weight.sum())


@dataclass(frozen=True)
class FittedBasic:
    """A fitted basic model.

    The scikit-learn object (or what behaves like one) is ``model``; its probabilities are placed by ``classes``; every
    class gets at least ``floor``, then rows are scaled to sum to 1.

    Attributes:
        name: of the basic model, lower case.
        task: ``binary``, ``multiclass`` or ``regression``.
        outputs: classes, or 1.
        matrix: turns rows into the input of ``model``; None where there are no inputs.
        model: what answers, or the constant answer (c,) of ``Majority``.
        classes: class numbers in the order of the model's probability columns.
        settings: what was chosen, in numbers, e.g. ``{"penalty": 0.001}``.
        rebuilt: settings of the ``BasicModel`` that fits the same again on other rows, nothing left to choose.
        parameters: count of learned numbers.
        floor: smallest probability given to a class.
        tried: ways of fitting that it was chosen from by held rows; 1: none was chosen from.
        inputs: what widens raw rows before ``matrix`` takes them; None: nothing does.
        counts: the values are counts, 0 or more.

    """

    name: str
    task: Task
    outputs: int
    matrix: AnyMatrix | None
    model: Any
    classes: tuple[int, ...]
    settings: dict[str, float]
    rebuilt: dict[str, Any] = field(default_factory=dict)
    parameters: int = 0
    floor: float = FLOOR
    tried: int = 1
    inputs: Inputs | None = None
    counts: bool = False

    @classmethod
    def around(cls, name: str, model: Any, matrix: AnyMatrix, schema: Schema, **values: Any) -> Self:
        """Take over a fitted model with the classes that it knows (``classes_``); ``values`` are further fields."""
        task = schema.target.task
        classes = () if task == "regression" else tuple(int(c) for c in model.classes_)
        counts = schema.target.counts
        return cls(name, task, schema.target.outputs, matrix, model, classes, counts=counts, **values)

    def predict(self, rows: Rows) -> NDArray[np.float64]:
        """Return probabilities (b, c), rows summing to 1, or values (b,)."""
        if self.inputs is None or self.matrix is None:
            return self.answer(rows)
        if isinstance(self.matrix, WideMatrix):
            return self.answer(rows, self.inputs.wide(rows))
        return self.answer(self.inputs.rows(rows))

    def answer(self, rows: Rows, wide: Any = None) -> NDArray[np.float64]:
        """Return what ``predict`` does, for rows that are widened already, or their wide numbers (b, w)."""
        if self.matrix is None:
            constant = np.asarray(self.model, dtype=np.float64)
            return np.full(rows.size, constant[0]) if self.task == "regression" else np.tile(constant, (rows.size, 1))
        inputs = self.matrix.of(rows, wide) if isinstance(self.matrix, WideMatrix) else self.matrix.of(rows)
        if self.task == "regression":
            values = np.asarray(self.model.predict(inputs), dtype=np.float64).reshape(rows.size)
            return np.maximum(values, 0.0) if self.counts else values
        return spread(self.model.predict_proba(inputs), self.classes, self.outputs, self.floor)

    def loss(self, held: Sample) -> float:
        """Return the weighted mean log loss, mean squared error, or Poisson loss of counts, on widened ``held``."""
        predicted = self.answer(held.rows, held.wide)
        if self.counts:
            mean = np.maximum(predicted, LEAST_MEAN)
            losses = mean - held.target * np.log(mean)
        elif self.task == "regression":
            losses = (predicted - held.target) ** 2
        else:
            losses = -np.log(predicted[np.arange(held.size), held.target.astype(np.int64)])
        return float(np.average(losses, weights=held.weight))


@dataclass(frozen=True, eq=False)
class FitPath:
    """One way of fitting on one set of rows, step by step: a tree more, a weaker penalty.

    Attributes:
        curve: (s,) mean loss on the held rows after each step.
        mass: weight of the held rows in a mean over folds.
        at: gives the fitted model after a step 0 … s − 1.
        ended: the clock ended it; by itself it would have gone on.

    """

    curve: NDArray[np.float64]
    mass: float
    at: Callable[[int], FittedBasic]
    ended: bool = False


def never() -> float:
    """Return the moment that never comes."""
    return math.inf


class BasicModel(ABC):
    """Frozen settings of one basic model; the verb is ``fit``, and ``cross_fit`` for out-of-fold answers."""

    name: ClassVar[str] = ""
    words: ClassVar[str] = ""
    needs: ClassVar[str] = ""
    takes_images: ClassVar[bool] = False
    blind: ClassVar[bool] = False  # looks at no input
    takes_wide: ClassVar[bool] = False  # takes the wide numbers of blocks, not rows that are widened by a few
    takes_until: ClassVar[bool] = False  # its ``paths`` end a fit at a moment; others are as long as they are

    def walk(
        self, train: Sample, held: Sample, *, schema: Schema, seed: int, until: Callable[[], float] = never
    ) -> Iterator[FitPath]:
        """Yield what ``paths`` does, or where nothing is left to choose one path of one step.

        ``until`` tells, when a path is begun, the moment (``time.monotonic()``) by which it should be through.
        """
        if not self.settled:
            told: dict[str, Any] = {"until": until} if self.takes_until else {}
            yield from self.paths(train, held, schema=schema, seed=seed, **told)
            return
        fitted = self.whole(train, schema=schema, seed=seed)
        yield FitPath(np.array([fitted.loss(held)]), held.mass, partial(same, fitted))

    @abstractmethod
    def paths(self, train: Sample, held: Sample, *, schema: Schema, seed: int) -> Iterator[FitPath]:
        """Fit on ``train`` in each way that is tried, the most promising first; lazily, so that a clock can end it."""

    @abstractmethod
    def whole(self, train: Sample, *, schema: Schema, seed: int) -> FittedBasic:
        """Fit on ``train`` with the settings as they are; nothing is chosen."""

    def repeated(self, chosen: dict[str, Any], steps: int) -> dict[str, Any]:
        """Return settings that choose the same again without a clock, where one ended it after so many steps.

        ``chosen`` are the settings of the way that was taken, nothing left to choose (``FittedBasic.rebuilt``).
        """
        return chosen

    @property
    @abstractmethod
    def settled(self) -> bool:
        """Whether nothing is left to choose, so that no row has to be held out."""

    @classmethod
    @abstractmethod
    def seconds(cls, rows: int, columns: int, outputs: int) -> float:
        """Return about how long ``fit`` takes with its default settings on one core.

        Measured by ``benchmarks/basics.py``; good to a factor of about two.
        """

    @classmethod
    def absent(cls) -> str:
        """Return why the model cannot compete here and what to install; empty where it can."""
        if not cls.needs or find_spec(cls.needs) is not None:
            return ""
        return f"the package {cls.needs} is not installed: pip install temperance[boosting]"

    def fit(
        self,
        rows: Rows,
        target: NDArray[Any],
        *,
        schema: Schema,
        valid: tuple[Any, ...] | None,
        weight: NDArray[np.float64] | None = None,
        seed: int = 0,
        inputs: Inputs | None = None,
        until: float = math.inf,
    ) -> FittedBasic:
        """Fit on ``rows``; ``valid`` rows choose among settings and the stopping point and are not trained on.

        Args:
            rows: training rows.
            target: class numbers (b,), or values (b,).
            schema: columns and target.
            valid: ``(rows, target)`` or ``(rows, target, weight)`` that choose; None: nothing is chosen, the settings
                are used as they are (to refit what an earlier fit chose).
            weight: (b,) weights of the training rows; None: all count the same.
            seed: seed of what is random.
            inputs: fitted on ``rows``; it widens them, those of ``valid``, and later those to predict.
            until: ``time.monotonic()`` after which no further way is tried; see ``takes_until``.

        Raises:
            DataError: only one class, or images where the model takes tables.

        """
        self.check(rows, target, schema)
        train, held = Sample(rows, target, weight), None if valid is None else Sample(*valid)
        if inputs is not None and not self.blind:
            schema = schema if self.takes_wide else inputs.widened
            train = train.widened(inputs, wide=self.takes_wide)
            held = None if held is None else held.widened(inputs, wide=self.takes_wide)
        return replace(self._chosen(train, held, schema=schema, seed=seed, until=until), inputs=inputs)

    def _chosen(self, train: Sample, held: Sample | None, *, schema: Schema, seed: int, until: float) -> FittedBasic:
        if held is None or self.settled:
            return self.whole(train, schema=schema, seed=seed)
        best: tuple[float, FitPath] | None = None
        tried = 0
        for path in self.walk(train, held, schema=schema, seed=seed, until=lambda: until):
            tried, score = tried + 1, float(path.curve.min())
            if best is None or score < best[0]:
                best = (score, path)
            if time.monotonic() > until:
                break
        if best is None:
            raise DataError("no setting to try", "at least one penalty or try", "Leave the settings at their defaults")
        return replace(best[1].at(int(best[1].curve.argmin())), tried=tried)

    def check(self, rows: Rows, target: NDArray[Any], schema: Schema) -> None:
        """Refuse images where the model takes tables, one class only, and a missing package.

        Shapes: target (b,).

        Raises:
            DataError: one of these.

        """
        if rows.images is not None and not self.takes_images:
            raise DataError("images", "numeric and categorical columns", "Use `Linear` or a net for images")
        if schema.target.task != "regression" and self.name != "majority" and len(np.unique(target)) < 2:
            raise DataError("training rows of one class only", "rows of at least two classes", "Give more rows")
        if self.absent():
            raise DataError(f"{self.name} cannot be fitted here", f"{self.needs} installed", self.absent())


BASIC: Registry[BasicModel] = Registry("basic model", "temperance.basic_models")


LEAST_MEAN = 1e-6  # of a count, in logarithms


def spread(shares: NDArray[np.float64], classes: tuple[int, ...], outputs: int, floor: float = FLOOR) -> Matrix:
    """Place shares (b, c') of ``classes`` among all classes (b, c), each at least ``floor`` before scaling to sum 1."""
    full = np.full((len(shares), outputs), floor)
    full[:, list(classes)] = np.maximum(shares, floor)
    scaled: Matrix = full / full.sum(axis=1, keepdims=True)
    return scaled


def same(fitted: FittedBasic, step: int) -> FittedBasic:
    """Return the model of a path of one step."""
    return fitted


def seen(held: Sample, target: NDArray[Any], task: Task) -> Sample:
    """Return the held rows whose class training rows have.

    Shapes: target (b,) of the training rows.

    Raises:
        DataError: no such row.

    """
    kept = np.ones(held.size, bool) if task == "regression" else np.isin(held.target, target)
    if not kept.any():
        raise DataError("no validation row of a class seen in training", "at least one", "Give more rows")
    return held if kept.all() else held.take(kept)


def thinned(train: Sample, most_rows: int, seed: int) -> Sample:
    """Return at most ``most_rows`` rows, drawn at random."""
    if train.size <= most_rows:
        return train
    return train.take(np.sort(np.random.default_rng(seed).choice(train.size, most_rows, replace=False)))
