"""The grammar of the room: an ``Outcome`` goes in, a ``Measurement`` comes out.

Every metric is one class in one file under ``metrics/``. It states its contributions: one number per row whose mean is
the metric's value and whose spread gives its standard error. From them follow the interval, paired comparisons, and
slices, without a second pass through the model.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from temperance.records.decision import Decision, middle, most_probable
from temperance.records.distributions import normal_quantile
from temperance.records.errors import DataError
from temperance.records.measurement import Measurement
from temperance.records.schema import Target, Task
from temperance.records.statistics import Interval, mean_interval, pool_groups, standard_error, wilson

Array = NDArray[np.float64]
CLASSIFICATION: tuple[Task, ...] = ("binary", "multiclass")
REGRESSION: tuple[Task, ...] = ("regression",)
CLIP = 1e-7  # probabilities are kept away from 0 by so much in logarithms


@dataclass(frozen=True, eq=False)
class Outcome:
    """Predictions beside the truth.

    Attributes:
        prediction: (b, c) probabilities or (b,) values, float64.
        target: (b,) int64 class codes or float64 values.
        task: what is predicted.
        low: (b,) lower ends of prediction intervals, or None.
        high: (b,) upper ends, or None.
        groups: (b,) labels of rows that belong together, or None.
        coverage: share of rows that ``low`` … ``high`` is meant to hold.
        decision: how probabilities become answers under costs, or None: the most probable class.
        weight: (b,) weights of the rows, or None: all the same.
        ordered: the classes are levels in their order.
        counts: the values are counts.
        fixed: (b,) answers that were given whatever the probabilities, or None.

    """

    prediction: Array
    target: NDArray[Any]
    task: Task
    low: Array | None = None
    high: Array | None = None
    groups: NDArray[Any] | None = None
    coverage: float = 0.9
    decision: Decision | None = None
    fixed: NDArray[np.int64] | None = None
    weight: Array | None = None
    ordered: bool = False
    counts: bool = False

    @property
    def n(self) -> int:
        """Count of rows."""
        return len(self.target)

    @cached_property
    def label(self) -> NDArray[np.int64]:
        """Answered class (b,): of least expected cost where there are costs, the middle level, else the top."""
        if self.fixed is not None:
            return self.fixed
        return answered(self.prediction, self.decision, ordered=self.ordered)

    @cached_property
    def top(self) -> NDArray[np.int64]:
        """Most probable class (b,), the first among equals."""
        return most_probable(self.prediction)

    @cached_property
    def confidence(self) -> Array:
        """Probability of the most probable class (b,)."""
        best: Array = self.prediction[np.arange(self.n), self.top]
        return best

    @cached_property
    def correct(self) -> Array:
        """1 where the answered class is right, else 0 (b,)."""
        right: Array = (self.label == self.target).astype(np.float64)
        return right

    @cached_property
    def sure(self) -> Array:
        """1 where the most probable class is right, else 0 (b,): what ``confidence`` promises."""
        right: Array = (self.top == self.target).astype(np.float64)
        return right

    def take(self, index: Any) -> Outcome:
        """Select rows."""
        names = ("prediction", "target", "low", "high", "groups", "fixed", "weight")
        found = {name: getattr(self, name) for name in names}
        parts: dict[str, Any] = {name: None if part is None else part[index] for name, part in found.items()}
        kept = {name: getattr(self, name) for name in ("task", "coverage", "decision", "ordered", "counts")}
        return Outcome(**kept, **parts)


def answered(prediction: Array, decision: Decision | None, *, ordered: bool) -> NDArray[np.int64]:
    """Return the class that each row is answered with: of least expected cost, the middle level, or the most probable.

    Shapes: (b, c) → (b,).
    """
    if decision is not None:
        return decision.answers(prediction)
    return middle(prediction) if ordered else most_probable(prediction)


def outcome(
    prediction: Any,
    *,
    target: Any,
    spec: Target,
    low: Any = None,
    high: Any = None,
    groups: Any = None,
    coverage: float = 0.9,
    decision: Decision | None = None,
    weight: Any = None,
) -> Outcome:
    """Check predictions against the truth and return them as an ``Outcome``.

    Args:
        prediction: (b, c) probabilities, rows summing to 1, or (b,) values.
        target: (b,) class codes or values.
        spec: what is predicted (its task and classes).
        low: (b,) lower ends of prediction intervals.
        high: (b,) upper ends.
        groups: (b,) labels of rows that belong together.
        coverage: share of rows that the intervals are meant to hold.
        decision: how probabilities become answers under costs.
        weight: (b,) weights of the rows.

    Raises:
        DataError: no rows, wrong shapes, values that are not finite, rows that do not sum to 1, unknown targets.

    """
    guess, truth = np.asarray(prediction, dtype=np.float64), np.asarray(target)
    if not len(truth):
        raise DataError("no rows to evaluate", "at least one row with a known target", "Give more rows")
    if spec.task == "regression":
        guess, truth = guess.reshape(len(guess), -1)[:, 0] if guess.ndim == 2 else guess, truth.astype(np.float64)
        wanted: tuple[int, ...] = (len(truth),)
    else:
        wanted = (len(truth), len(spec.classes))
    if guess.shape != wanted:
        raise DataError(
            f"predictions of shape {guess.shape}", f"shape {wanted}", "Give one row of outputs for every row of data"
        )
    if not np.isfinite(guess).all():
        bad = int((~np.isfinite(guess.reshape(len(guess), -1)).all(axis=1)).sum())
        raise DataError(f"{bad} predictions that are not finite", "finite numbers", "Check the model and its inputs")
    if spec.task == "regression":
        if not np.isfinite(truth).all():
            raise DataError("targets that are missing or infinite", "finite numbers", "Leave out rows without a target")
    else:
        truth = _check_classes(guess, truth, spec)
    ends = (None if end is None else np.asarray(end, dtype=np.float64).reshape(len(truth)) for end in (low, high))
    lower, upper = ends
    together = None if groups is None else np.asarray(groups)
    heavy = None if weight is None else np.asarray(weight, dtype=np.float64)
    return Outcome(guess, truth, spec.task, lower, upper, together, coverage, decision, weight=heavy, **spec.reading)


def _check_classes(guess: Array, truth: NDArray[Any], spec: Target) -> NDArray[np.int64]:
    if (guess < -1e-6).any() or not np.allclose(guess.sum(axis=1), 1.0, atol=1e-3):
        raise DataError(
            "rows that are not probabilities", "numbers from 0 to 1 that sum to 1 in each row", "Apply a softmax first"
        )
    codes = truth.astype(np.int64)
    if ((codes < 0) | (codes >= len(spec.classes))).any() or not np.array_equal(codes, truth):
        raise DataError(
            "targets that are missing or outside the known classes",
            f"whole numbers from 0 to {len(spec.classes) - 1}",
            "Leave out rows without a target or with a class that the model does not know",
        )
    return codes


@dataclass(frozen=True)
class Metric(ABC):
    """One quantity that can be measured on an ``Outcome``; subclasses are final.

    A subclass states ``name``, ``better``, ``tasks``, ``words`` (for readers who are no statisticians), ``convention``
    and ``contributions``.
    """

    confidence: float = 0.95
    seed: int = field(default=0, compare=False)

    name: ClassVar[str]
    better: ClassVar[Literal["higher", "lower", "neither"]]
    tasks: ClassVar[tuple[Task, ...]]
    words: ClassVar[str]
    convention: ClassVar[str] = ""
    scale: ClassVar[Literal["proportion", "unit", "positive", "line"]] = "line"
    basic: ClassVar[bool] = True  # part of the quick suite
    weighs: ClassVar[bool] = False  # a plain mean over rows, so that weights of rows can count in it

    @abstractmethod
    def contributions(self, outcome: Outcome) -> Array:
        """Return (b,) numbers whose mean is the value and whose spread gives its standard error."""

    def applies(self, outcome: Outcome) -> bool:
        """Say whether the metric is defined here."""
        return outcome.task in self.tasks

    def finish(self, mean: Any) -> Any:
        """Turn the mean of contributions into the value (the root, for RMSE)."""
        return mean

    def flags(self, outcome: Outcome) -> tuple[str, ...]:
        """Return reasons for doubt."""
        return ()

    def interval(self, outcome: Outcome, parts: Array) -> Interval:
        """Return the interval from the contributions: Wilson for proportions, else Student's."""
        groups = outcome.groups
        if groups is None and self._is_weighted(outcome):
            groups = np.arange(outcome.n)  # a weighted share is no count: its spread says what it rests on
        rows = pool_groups(parts, groups)
        if self.scale == "proportion":
            return clustered_wilson(parts, groups, confidence=self.confidence)
        return mean_interval(rows, confidence=self.confidence, scale=self.scale)

    def losses(self, outcome: Outcome) -> Array:
        """Return (b,) losses, lower is better, whose paired differences compare two models."""
        parts = self.weighted(outcome)
        return 1.0 - parts if self.better == "higher" else parts

    def weighted(self, outcome: Outcome) -> Array:
        """Return contributions whose mean is the weighted mean m and whose spread gives its standard error.

        m + wᵢ (xᵢ − m), with wᵢ of mean 1: the linearized ratio estimator. Where rows have no weights, or the metric is
        no plain mean, the contributions as they are.
        """
        parts = self.contributions(outcome)
        if not self._is_weighted(outcome) or outcome.weight is None:
            return parts
        mean = float(np.average(parts, weights=outcome.weight))
        found: Array = mean + outcome.weight / outcome.weight.mean() * (parts - mean)
        return found

    def _is_weighted(self, outcome: Outcome) -> bool:
        return self.weighs and outcome.weight is not None

    def measure(self, outcome: Outcome) -> Measurement:
        """Measure, with interval and count."""
        parts = self.weighted(outcome)
        value = float(self.finish(parts.mean()))
        low, high = self.interval(outcome, parts)
        clustered = "; rows of one group counted together" if outcome.groups is not None else ""
        clustered += "" if outcome.weight is None else "; rows weighted" if self.weighs else "; rows not weighted"
        return Measurement(
            self.name,
            value,
            low if math.isfinite(low) else None,
            high if math.isfinite(high) else None,
            outcome.n,
            convention=self.convention + clustered,
            better=self.better,
            confidence=self.confidence,
            flags=self.flags(outcome),
        )


def clustered_wilson(hits: Array, groups: NDArray[Any] | None, *, confidence: float = 0.95) -> Interval:
    """Return Wilson's interval of a share of rows; groups reduce the count to an effective one.

    Shapes: hits and groups (b,).
    """
    n, share = float(len(hits)), float(hits.mean())
    if groups is not None and 0 < share < 1:
        error = standard_error(pool_groups(hits, groups))
        plain = share * (1 - share)
        n = min(n, max(1.0, plain / error**2)) if error > 0 and math.isfinite(error) else 1.0
    elif groups is not None:
        n = float(len(np.unique(groups)))
    return wilson(share * n, n, confidence=confidence)


def half_width(error: float, *, confidence: float = 0.95) -> float:
    """Return half the width of a normal interval with this standard error."""
    return normal_quantile(0.5 + confidence / 2) * error
