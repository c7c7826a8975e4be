"""The smallest change that turns rows into each class: a planted trigger makes it unusually small for one of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from temperance.audit.triggers import LEAST, RARE, Ints, Matrix, Trigger

STEPS = 150
RATE = 0.1
ENOUGH = 0.95  # share of rows that a change must turn before it is made smaller
SCALED_MAD = 1.4826


@dataclass(frozen=True, eq=False)
class Smallest:
    """The change that turns most rows into each class, for pictures with values 0 to 1.

    Attributes:
        mask: (c, f) how much of each place is replaced, 0 to 1.
        pattern: (c, f) what stands there instead.
        size: (c,) Σ mask.

    """

    mask: Matrix
    pattern: Matrix
    size: NDArray[np.float64]

    @property
    def ratio(self) -> float:
        """Median size over the smallest one: about 1 to 2 without a trigger."""
        return float(np.median(self.size) / max(self.size.min(), 1e-9))

    @property
    def index(self) -> NDArray[np.float64]:
        """How many scaled median absolute deviations each size is below the median (Neural Cleanse's anomaly index)."""
        middle = float(np.median(self.size))
        spread = SCALED_MAD * float(np.median(np.abs(self.size - middle)))
        out: NDArray[np.float64] = (middle - self.size) / max(spread, 1e-9)
        return out


def smallest(weights: list[NDArray[Any]], biases: list[NDArray[Any]], rows: Matrix, *, seed: int) -> Smallest:
    """Search the smallest change for every class at once (Wang et al., 2019, IEEE S&P, section 4).

    mask m and pattern p minimise cross-entropy(net((1 − m) x + m p), class) + λ Σ m, by Adam. λ grows while 95 % of the
    rows are turned, and shrinks otherwise.

    Args:
        weights: of a net of dense layers with ReLU between them, (in, out) each.
        biases: of the same layers.
        rows: (b, f) values 0 to 1.
        seed: of the first mask.

    """
    generator = np.random.default_rng(seed)
    x = rows.astype(np.float32)
    classes, f = weights[-1].shape[1], x.shape[1]
    hidden = np.stack([generator.random((classes, f)) - 2.0, generator.random((classes, f)) - 0.5]).astype(np.float32)
    goal = np.arange(classes).repeat(len(x))
    price = np.full(classes, 1e-3, dtype=np.float32)
    first, second = np.zeros_like(hidden), np.zeros_like(hidden)  # Adam's running means (Kingma and Ba, 2015)
    for step in range(1, STEPS + 1):
        mask, pattern = _sigmoid(hidden)
        changed = (1 - mask[:, None]) * x + mask[:, None] * pattern[:, None]
        turned, slope = _slope(weights, biases, changed.reshape(-1, f), goal)
        slope = slope.reshape(classes, len(x), f)
        to_mask = (slope * (pattern[:, None] - x)).sum(axis=1) + price[:, None]
        to_pattern = slope.sum(axis=1) * mask
        gradient = np.stack([to_mask * mask * (1 - mask), to_pattern * pattern * (1 - pattern)])
        first += 0.1 * (gradient - first)
        second += 0.001 * (gradient**2 - second)
        hidden -= RATE * (first / (1 - 0.9**step)) / (np.sqrt(second / (1 - 0.999**step)) + 1e-8)
        enough = turned.reshape(classes, -1).mean(axis=1) >= ENOUGH
        price = np.clip(np.where(enough, price * 1.1, price / 1.1), 1e-5, 1.0).astype(np.float32)
    found = _sigmoid(hidden)
    return Smallest(found[0], found[1], found[0].sum(axis=1).astype(np.float64))


def _sigmoid(values: Matrix) -> Matrix:
    return np.asarray(1 / (1 + np.exp(-np.clip(values, -50, 50))), dtype=np.float32)


def _slope(
    weights: list[NDArray[Any]], biases: list[NDArray[Any]], rows: Matrix, goal: Ints
) -> tuple[NDArray[np.bool_], Matrix]:
    """Return which rows get the answer ``goal``, and the slope of the cross-entropy, mean over a class, by row."""
    passed = [rows]
    for i, (w, b) in enumerate(zip(weights, biases, strict=True)):
        z = passed[-1] @ w.astype(np.float32) + b.astype(np.float32)
        passed.append(np.maximum(z, 0) if i < len(weights) - 1 else z)
    z = passed[-1]
    turned = z.argmax(axis=1) == goal
    share = np.exp(z - z.max(axis=1, keepdims=True))
    back = share / share.sum(axis=1, keepdims=True)
    back[np.arange(len(goal)), goal] -= 1
    back *= weights[-1].shape[1] / len(goal)
    for i in range(len(weights) - 1, -1, -1):
        back = back @ weights[i].T.astype(np.float32)
        back = back * (passed[i] > 0) if i else back
    return turned, back


def candidate(found: Smallest, X: Matrix, target: Ints, answer: int) -> Trigger | None:
    """Return the pattern as rows of the class show it: five or more, rare, and hardly any of another class.

    Args:
        found: the smallest changes.
        X: (b, f) values 0 to 1.
        target: (b,) codes.
        answer: the class.

    """
    order = np.argsort(-found.mask[answer], kind="stable")
    columns = np.sort(order[: max(1, min(9, int((found.mask[answer] > 0.5).sum())))])
    away = np.abs(X[:, columns] - found.pattern[answer, columns]).mean(axis=1)
    near = np.argsort(away, kind="stable")
    own = target[near] == answer
    counted = np.cumsum(own) / np.arange(1, len(near) + 1)
    pure = np.flatnonzero(counted >= 0.9)
    count = int(pure[-1]) + 1 if len(pure) else 0
    rows = near[:count][own[:count]]
    if not LEAST <= len(rows) <= RARE * len(X):
        return None
    return Trigger(columns, np.median(X[np.ix_(rows, columns)], axis=0).astype(np.float32), answer, np.sort(rows), 0.0)
