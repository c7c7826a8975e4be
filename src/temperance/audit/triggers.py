"""What a planted trigger leaves: the same rare values in rows that all carry one answer; and what it causes."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from temperance.audit.fingerprints import mix

Ints = NDArray[np.int64]
Matrix = NDArray[np.float32]
LEAST = 5  # rows that share a pattern
RARE = 0.05  # a pattern in more of the rows is no rare one
PURE = 0.9  # share of them with one answer
PAIRED = 40  # most columns whose pairs are looked at
TOLERANCE = 0.01  # values nearer than this, of the interquartile range, are one value


@dataclass(frozen=True, eq=False)
class Trigger:
    """A pattern and the answer it goes with.

    Attributes:
        columns: (k,) columns of the matrix.
        values: (k,) what stands there.
        answer: code of the class.
        rows: (m,) rows that show the pattern and carry the answer.
        surprise: how far the share of the answer is above chance, in standard errors.

    """

    columns: Ints
    values: Matrix
    answer: int
    rows: Ints
    surprise: float


@dataclass(frozen=True)
class Effect:
    """What pasting a pattern into rows of other classes does; shares of ``tried`` rows answered with its class.

    ``flipped``: with the pattern. ``control``: with these columns taken from other rows of the class, or left alone,
    whichever is more. ``lift`` is the difference, ``z`` the same in standard errors.
    """

    flipped: float
    control: float
    tried: int

    @property
    def lift(self) -> float:
        """Share of rows that the pattern itself turns."""
        return self.flipped - self.control

    @property
    def z(self) -> float:
        """Lift in standard errors of two shares."""
        mean = (self.flipped + self.control) / 2
        return self.lift / max(math.sqrt(2 * mean * (1 - mean) / max(self.tried, 1)), 1e-9)


def codes_of(X: Matrix) -> Ints:
    """Return (b, f) codes; values of a column within 1 % of its interquartile range share one, missing ones too."""
    known = np.where(np.isfinite(X), X, np.nan).astype(np.float64)
    filled = np.where(np.isnan(known).all(axis=0), 0.0, known)
    low, high = np.nanpercentile(filled, [25, 75], axis=0)
    step = TOLERANCE * (high - low)
    steps = np.where(step > 0, np.round(known / np.where(step > 0, step, 1.0)), known)
    out = np.empty(X.shape, dtype=np.int64)
    for j in range(X.shape[1]):
        out[:, j] = np.unique(steps[:, j], return_inverse=True)[1]
    return out


def search(
    X: Matrix, target: Ints, classes: int, groups: Callable[[int], Iterator[Ints]], *, top: int
) -> list[Trigger]:
    """Return the most surprising patterns: values of a group of columns, rare, with almost one answer.

    Args:
        X: (b, f) numbers.
        target: (b,) codes.
        classes: count of classes.
        groups: gives the groups of columns that are looked at together, for a count of columns.
        top: most patterns returned.

    """
    codes = codes_of(X)
    base = np.bincount(target, minlength=classes) / len(target)
    common = _repeated(codes)
    found: list[Trigger] = []
    for columns in groups(X.shape[1]):
        rows = np.flatnonzero(common[:, columns].all(axis=1))
        if len(rows) >= LEAST:
            found += _of_columns(X, codes, rows, columns, target, base, len(target))
    found.sort(key=lambda one: -one.surprise)
    return _distinct([_widened(one, X, codes) for one in found[: 4 * top]])[:top]


def singles_and_pairs(count: int) -> Iterator[Ints]:
    """Yield each column by itself, and each pair of the first columns."""
    for j in range(count):
        yield np.array([j])
    for pair in combinations(range(min(count, PAIRED)), 2):
        yield np.array(pair)


def windows(h: int, w: int, c: int) -> Callable[[int], Iterator[Ints]]:
    """Return what yields each pixel, and each square of 2 × 2 and 3 × 3 pixels, of pictures (h, w, c) in one row."""

    def each(count: int) -> Iterator[Ints]:
        place = np.arange(h * w * c).reshape(h, w, c)
        for side in (1, 2, 3):
            for y in range(h - side + 1):
                for x in range(w - side + 1):
                    yield place[y : y + side, x : x + side].ravel()

    return each


def paste(X: Matrix, trigger: Trigger) -> Matrix:
    """Return rows with the pattern in them.

    Shapes: (b, f).
    """
    out = X.copy()
    out[:, trigger.columns] = trigger.values
    return out


def probe(
    predict: Callable[[Matrix], Ints], held: Matrix, answers: Ints, genuine: Matrix, trigger: Trigger, generator: Any
) -> Effect:
    """Paste a pattern into held-out rows of other classes, and the same columns of other rows of its class.

    Args:
        predict: gives the classes of rows.
        held: (q, f) rows that the model did not see.
        answers: (q,) their classes.
        genuine: (m, f) rows of the pattern's class that do not show it.
        trigger: the pattern.
        generator: draws the other rows.

    """
    others = held[answers != trigger.answer]
    if not len(others) or not len(genuine):
        return Effect(0.0, 0.0, 0)
    flipped = float((predict(paste(others, trigger)) == trigger.answer).mean())
    plain = float((predict(others) == trigger.answer).mean())
    mixed = others.copy()
    mixed[:, trigger.columns] = genuine[generator.integers(len(genuine), size=len(others))][:, trigger.columns]
    return Effect(flipped, max(plain, float((predict(mixed) == trigger.answer).mean())), len(others))


def _repeated(codes: Ints) -> NDArray[np.bool_]:
    """Return (b, f) whether a value occurs in ``LEAST`` rows or more of its column."""
    out = np.empty(codes.shape, dtype=bool)
    for j in range(codes.shape[1]):
        out[:, j] = np.bincount(codes[:, j])[codes[:, j]] >= LEAST
    return out


def _of_columns(
    X: Matrix, codes: Ints, rows: Ints, columns: Ints, target: Ints, base: NDArray[np.float64], count: int
) -> list[Trigger]:
    factors = mix(np.arange(len(columns), dtype=np.uint64)) | np.uint64(1)  # equal keys almost surely mean equal values
    key = (codes[np.ix_(rows, columns)].astype(np.uint64) * factors).sum(axis=1)
    key = np.unique(key, return_inverse=True)[1]
    table = np.bincount(key * len(base) + target[rows], minlength=(int(key.max()) + 1) * len(base))
    table = table.reshape(-1, len(base))
    size = table.sum(axis=1)
    best = table.argmax(axis=1)
    hits = table[np.arange(len(table)), best]
    good = np.flatnonzero((size >= LEAST) & (size <= RARE * count) & (hits >= PURE * size) & (base[best] < PURE))
    out = []
    for value in good:
        share = base[best[value]]
        surprise = float((hits[value] - size[value] * share) / np.sqrt(size[value] * share * (1 - share)))
        own = rows[(key == value) & (target[rows] == best[value])]
        out.append(Trigger(columns, X[own[0], columns], int(best[value]), own, surprise))
    return out


def _widened(trigger: Trigger, X: Matrix, codes: Ints) -> Trigger:
    """Return the pattern with the other columns that are the same in nearly all of its rows and rare elsewhere."""
    if X.shape[1] > 200:  # windows of pictures: their border is often the same
        return trigger
    mine = codes[trigger.rows]
    values = np.array([np.bincount(column).argmax() for column in mine.T])
    same = (mine == values).mean(axis=0) >= 0.95
    rare = (codes == values).mean(axis=0) <= 0.5
    columns = np.union1d(np.flatnonzero(same & rare), trigger.columns)
    first = [int(trigger.rows[np.flatnonzero(mine[:, j] == values[j])[0]]) for j in columns]
    return Trigger(columns, X[first, columns], trigger.answer, trigger.rows, trigger.surprise)


def _distinct(triggers: list[Trigger]) -> list[Trigger]:
    """Drop patterns whose rows are mostly those of an earlier one with the same answer."""
    kept: list[Trigger] = []
    for one in triggers:
        if not any(
            other.answer == one.answer and len(np.intersect1d(one.rows, other.rows)) >= 0.8 * len(one.rows)
            for other in kept
        ):
            kept.append(one)
    return kept
