"""A file in order of time: a shuffled split beside one that trains on the first rows and tests on the last."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from temperance.audit.base import CHECKS, Check
from temperance.audit.context import Context
from temperance.audit.crossfit import forest, hits_of, probabilities
from temperance.audit.features import tree_matrix
from temperance.audit.planting import Kind, Planting
from temperance.records.finding import Finding, State

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
BLOCKS = 10  # neighbouring rows are alike: the interval of the honest figure rests on blocks of them


@dataclass(frozen=True, eq=False)
class Compared:
    """Scores of splits at random and of the split in order, all with as many rows to train on and to test on.

    Attributes:
        random: (r,) one score for each random split.
        forward: score of the last rows by a model of the first ones.
        half: half the width of the 95 % interval of ``forward``.

    """

    random: Floats
    forward: float
    half: float

    @property
    def shuffled(self) -> float:
        """Mean score of the random splits."""
        return float(self.random.mean())

    @property
    def spread(self) -> float:
        """Standard deviation of one further random split around that mean."""
        return float(self.random.std(ddof=1)) * math.sqrt(1 + 1 / len(self.random))

    @property
    def gap(self) -> float:
        """What the shuffled score promises too much."""
        return self.shuffled - self.forward


@CHECKS.add
@dataclass(frozen=True)
class ForwardSplit(Check):
    """Train on the first 1 − ``share`` of the rows, in order of ``--time`` or of the file, and test on the last.

    Beside it stand ``splits`` random splits of the same sizes. Were the order without meaning, the score in order would
    be one more of these, so it is flagged where it lies below their mean by more than ``limit`` and more than the
    one-sided ``level`` quantile of Student's t times their spread · √(1 + 1/splits).
    """

    share: float = 0.2
    splits: int = 8
    limit: float = 0.02
    serious: float = 0.05
    level: float = 0.99
    trees: int = 25

    name: ClassVar[str] = "forward_split"
    label: ClassVar[str] = "a file in order of time"
    rank: ClassVar[int] = 81
    sizes: ClassVar[tuple[int | None, ...]] = (10_000, 4_000, 1_500, 800)
    false_alarm_rate: ClassVar[float] = 0.02
    why: ClassVar[str] = (
        "If new rows come later than these, a shuffled split trains on their neighbours and promises too much."
    )
    cannot_see: ClassVar[str] = "An order that the file had before it was shuffled, and changes after its last row."
    references: ClassVar[tuple[str, ...]] = (
        "Kapoor and Narayanan (2023), arXiv:2207.07048",
        "Tashman (2000), Int. J. Forecasting 16(4)",
    )

    def unsuited(self, context: Context) -> str:
        """Rows in an order are needed, other than the order of the answers."""
        if len(context.development) < 300:
            return "there are fewer than 300 rows."
        if context.table.time is None and is_sorted(context.labels(context.development)):
            return "the file is sorted by the answer, so its order is no order of time."
        return ""

    def estimate(self, context: Context, rows: int) -> float:
        """Return seconds: a forest for each split, and those of the planted copies."""
        width = 256 if context.is_images else len(context.schema.columns)
        tries = max(2.0, 0.5 * width) if context.is_regression else max(2.0, math.sqrt(width))
        return 0.2 + (2 * self.splits + 5) * rows * self.trees * 1.6e-7 * tries

    def inspect(self, context: Context) -> Finding:
        """Compare the two ways of splitting, on the data and on copies with a planted change."""
        index = self._in_order(context, context.sample(self.name))
        X, target = tree_matrix(context.table.rows.take(index)), context.labels(index)
        seen = self.compare(context, X, target)
        hit, named = self.flagged(seen), context.table.time is not None
        metric = "share of variance explained" if context.is_regression else "accuracy of a quick model"
        low, high = seen.forward - seen.half, seen.forward + seen.half
        wide = 2 * seen.spread
        evidence = {
            "n": len(index),
            "k": int(hit),
            "examples": [
                {
                    "split": "shuffled",
                    "score": seen.shuffled,
                    "low": seen.shuffled - wide,
                    "high": seen.shuffled + wide,
                },
                {"split": "in order", "score": seen.forward, "low": low, "high": high},
            ],
            "order": "time" if named else "file",
        }
        fields: dict[str, Any] = {
            "evidence": evidence,
            "effect": {"metric": metric, "before": seen.shuffled, "after": seen.forward, "low": low, "high": high},
            "thresholds": {"gap": self.limit, "serious": self.serious, "level": self.level},
            "confidence": self._self_test(context, X, target),
        }
        told = _told(seen, context.is_regression, named)
        if not hit:
            return self.finding("no_problem_found", f"Later rows are no harder than others. {told}", **fields)
        if named:
            title = f"{told} The split already follows --time, so the study's figure is the honest one."
            return self.finding("no_problem_found", title, **fields)
        action = (
            "Ask: will the model be used on rows that come after these? Then the figure in order is the honest one.",
            "If so, give the date column with --time, or name the recording with --group, and run again.",
        )
        state: State = "fix_before_use" if seen.gap >= self.serious else "look_at_this"
        return self.finding(state, f"The last rows of the file differ from the first. {told}", action=action, **fields)

    def flagged(self, seen: Compared, known: Compared | None = None) -> bool:
        """Return whether the score in order is too low to be one more random split; ``known`` gives their spread."""
        from scipy.stats import t

        known = known or seen
        bar = float(t.ppf(self.level, len(known.random) - 1)) * known.spread
        return seen.gap > self.limit and seen.gap > bar

    def compare(self, context: Context, X: NDArray[Any], target: NDArray[Any], *, splits: int = 0) -> Compared:
        """Score ``splits`` random splits of the rows, and the split in their order.

        Shapes: X (b, f) and target (b,), in order.
        """
        generator = context.generator(self.name, "splits")
        count = len(target)
        cut = count - round(self.share * count)
        orders = [generator.permutation(count) for _ in range(splits or self.splits)]
        random = np.array([self._hits(context, X, target, order, cut, i).mean() for i, order in enumerate(orders)])
        hits = self._hits(context, X, target, np.arange(count), cut, len(orders))
        return Compared(random, float(hits.mean()), half_width(hits))

    def _hits(
        self, context: Context, X: NDArray[Any], target: NDArray[Any], order: Ints, cut: int, number: int
    ) -> Floats:
        """Return 1 for each right answer of the rows from ``cut`` on; for numbers 1 − squared error / variance."""
        classes = len(context.schema.target.classes)
        seed = int(context.generator(self.name, "forest", str(number)).integers(2**31))
        first, last = order[:cut], order[cut:]
        model = forest(classify=classes > 0, seed=seed, trees=self.trees, leaf=2).fit(X[first], target[first])
        predicted = probabilities(model, X[last], classes) if classes else model.predict(X[last])
        return hits_of(predicted, target[last], variance=0.0 if classes else float(np.var(target)))

    def _self_test(self, context: Context, X: NDArray[Any], target: NDArray[Any]) -> dict[str, Any]:
        """Shuffle copies, which takes any order away; give two of them a change in their last rows."""
        generator = context.generator(self.name, "plant")
        shuffle = generator.permutation(len(target))
        X, target = X[shuffle], target[shuffle]
        clean = self.compare(context, X, target)
        orders = ("files whose last rows follow another rule", "files whose blocks share a mark and an answer")
        copies = [plant(X, target, generator) for plant in (_late, _blocks)]
        found = [self.flagged(self.compare(context, *one, splits=4), clean) for one in copies]
        kinds = tuple(Kind(name, 1, int(hit)) for name, hit in zip(orders, found, strict=True))
        # each random split is a copy without order: blame it as the split in order would be, by the others
        apart = [Compared(np.delete(clean.random, i), float(s), 0.0) for i, s in enumerate(clean.random)]
        blamed = sum(self.flagged(one) for one in (*apart, clean))
        return Planting(kinds, len(apart) + 1, blamed, "shuffled copies").to_dict()

    def _in_order(self, context: Context, index: Ints) -> Ints:
        if context.table.time is None:
            return index
        return index[np.argsort(context.table.time[index], kind="stable")]


def is_sorted(target: NDArray[Any]) -> bool:
    """Return whether the answers stand in runs, hardly more of them than there are answers, or only rise or fall.

    Shapes: (b,).
    """
    steps = np.diff(target)
    if np.asarray(target).dtype.kind == "f":
        return bool((steps >= 0).all() or (steps <= 0).all())
    return int((steps != 0).sum()) <= 2 * len(np.unique(target))


def half_width(hits: Floats) -> float:
    """Return half of a 95 % interval of the mean of values in order, by means of blocks (Student's t).

    Shapes: (b,).
    """
    from scipy.stats import t

    count = min(BLOCKS, len(hits))
    means = np.array([part.mean() for part in np.array_split(hits, count)])
    each = max(float(means.std(ddof=1)) / math.sqrt(count), float(hits.std()) / math.sqrt(len(hits)))
    return float(t.ppf(0.975, count - 1)) * each


def _late(X: NDArray[Any], target: NDArray[Any], generator: np.random.Generator) -> tuple[NDArray[Any], NDArray[Any]]:
    """Exchange most answers of the last fifth; a new column marks these rows there, and nothing before."""
    changed = target.copy()
    last = np.arange(len(target)) >= 0.8 * len(target)
    sign = generator.random(len(target)) < 0.6
    rows = np.flatnonzero(last & sign)
    changed[rows] = changed[rows][generator.permutation(len(rows))] if target.dtype.kind == "f" else _next(target, rows)
    mark = np.where(sign, 1.0, -1.0)[:, None] * np.where(last, 1.0, 0.5)[:, None]
    return np.concatenate([X, mark.astype(np.float32)], axis=1), changed


def _next(target: NDArray[Any], rows: Ints) -> NDArray[Any]:
    values = np.unique(target)
    following: NDArray[Any] = values[(np.searchsorted(values, target[rows]) + 1) % len(values)]
    return following


def _blocks(X: NDArray[Any], target: NDArray[Any], generator: np.random.Generator) -> tuple[NDArray[Any], NDArray[Any]]:
    """Give blocks of ten rows a common mark and, two blocks of three, a common answer."""
    block = np.arange(len(target)) // 10
    number = int(block.max()) + 1
    mark = generator.standard_normal((number, max(6, X.shape[1] // 4)))[block].astype(np.float32)
    same = generator.random(number)[block] < 0.67
    return np.concatenate([X, mark], axis=1), np.where(same, target[block * 10], target)


def _told(seen: Compared, is_number: bool, named: bool) -> str:
    """Return both figures in words."""
    order = "time order" if named else "file order"
    if is_number:
        first, last = max(0.0, seen.shuffled), max(0.0, seen.forward)
        return f"A quick model explains {100 * first:.0f} of 100 parts on shuffled rows, {100 * last:.0f} in {order}."
    first, last = 100 * seen.shuffled, 100 * seen.forward
    return f"A quick model gets {first:.0f} of 100 right on shuffled rows, {last:.0f} in {order}."
