"""Made-up worlds, small nets trained on them, and the streams in which something changes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.neural_network import MLPClassifier, MLPRegressor

from adapt.play import Model, Stream
from temperance.records.schema import Column, Rows, Schema, Target

TRAIN, KNOWN, START, LENGTH = 1500, 1000, 1500, 6000
WORDS = ("a", "b", "c", "d")


class World:
    """Inputs of ``d`` numbers and one category; ``classes`` = 0 makes a world of values."""

    def __init__(self, classes: int, d: int, seed: int) -> None:
        rng = np.random.default_rng([seed, classes, d])
        self.classes, self.d = classes, d
        self.centres = rng.normal(size=(max(2, classes), d)) * (1.1 if classes == 2 else 1.4) / np.sqrt(d / 4)
        self.slopes = rng.normal(size=d)
        self.effect = rng.normal(size=4)
        self.mix = np.eye(d) + 0.35 * rng.normal(size=(d, d)) / np.sqrt(d)  # columns hang together
        columns = [Column(f"x{j}", "numeric") for j in range(d)] + [Column("word", "categorical", vocabulary=WORDS)]
        names = tuple(f"k{i}" for i in range(classes))
        task = "regression" if not classes else "binary" if classes == 2 else "multiclass"
        self.schema = Schema(tuple(columns), Target("y", task, names))
        self.usual = np.full(classes, 1 / classes) if classes else np.empty(0)

    def draw(self, n: int, rng: np.random.Generator, *, shares: Any = None, turn: float = 0.0, level: float = 0.0,
             labels: Any = None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:  # fmt: skip
        """Return (x, word, y); ``turn`` rotates what the outcome depends on, ``level`` moves it."""
        word = rng.integers(0, 4, n)
        if not self.classes:
            x = rng.normal(size=(n, self.d)) @ self.mix
            slopes = np.cos(turn) * self.slopes + np.sin(turn) * np.roll(self.slopes, 1)
            y = x @ slopes + np.sin(2 * x[:, 0]) + self.effect[word] + level + rng.normal(size=n)
            return x, word, y
        given = self.usual if shares is None else np.asarray(shares)
        y = rng.choice(self.classes, n, p=given) if labels is None else labels
        centres = (
            self.centres if not turn else np.cos(turn) * self.centres + np.sin(turn) * np.roll(self.centres, 1, axis=1)
        )
        x = (rng.normal(size=(n, self.d)) + centres[y]) @ self.mix
        word = np.where(rng.random(n) < 0.3, y % 4, word)
        return x, word, y


def rows_of(x: np.ndarray, word: np.ndarray) -> Rows:
    return Rows(x, word[:, None].astype(np.int32))


def numbers(rows: Rows, fill: np.ndarray) -> np.ndarray:
    x = np.where(np.isnan(rows.numeric), fill, rows.numeric)
    return np.concatenate([x, rows.categorical[:, :1] == np.arange(4)], axis=1)


def train(world: World, seed: int) -> Model:
    """Fit five small nets on resampled rows and a linear model; the reference is of other rows."""
    rng = np.random.default_rng([seed, 7])
    x, word, y = world.draw(TRAIN, rng)
    fill, spread = np.median(x, axis=0), x.std(axis=0)

    def seen(rows: Rows) -> np.ndarray:
        raw = numbers(rows, fill)
        raw[:, : world.d] = (raw[:, : world.d] - fill) / spread
        return raw

    inside = seen(rows_of(x, word))
    parts: list[Any] = []
    for i in range(5):
        some = rng.integers(0, TRAIN, TRAIN)
        kind = MLPClassifier if world.classes else MLPRegressor
        net = kind(
            hidden_layer_sizes=(24,), alpha=(0.01, 1.0)[i % 2], max_iter=60, early_stopping=False, random_state=i
        )
        parts.append(net.fit(inside[some], y[some]))
    linear = LogisticRegression(max_iter=300) if world.classes else Ridge()
    parts.append(linear.fit(inside, y))

    def members(rows: Rows) -> np.ndarray:
        found = seen(rows)
        if world.classes:
            return np.stack([p.predict_proba(found) for p in parts], axis=1)
        return np.stack([p.predict(found) for p in parts], axis=1)

    x, word, y = world.draw(KNOWN, rng)
    return Model.of(world.schema, members, np.full(6, 1 / 6), rows_of(x, word), y)


def one_class(world: World, p: float) -> np.ndarray:
    rest = np.full(world.classes, (1 - p) / (world.classes - 1))
    rest[-1] = p
    return rest


Maker = Callable[[World, np.random.Generator], tuple[np.ndarray, np.ndarray, np.ndarray]]


def _after(**changes: Any) -> Maker:
    return lambda world, rng: world.draw(LENGTH - START, rng, **changes)


def _moved(change: Callable[[np.ndarray, np.ndarray, np.random.Generator], tuple[np.ndarray, np.ndarray]]) -> Maker:
    """The truth stays with the true inputs; the model is shown changed ones."""

    def make(world: World, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        x, word, y = world.draw(LENGTH - START, rng)
        x, word = change(x.copy(), word, rng)
        return x, word, y

    return make


def _first(how: Callable[[np.ndarray], np.ndarray]) -> Maker:
    def change(x: np.ndarray, word: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        x[:, :2] = how(x[:, :2])
        return x, word

    return _moved(change)


def _population(world: World, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Other cases come, the outcome depends on them as before: nothing is to be corrected but confidence."""
    x, word, y = world.draw(6 * (LENGTH - START), rng)
    keep = np.argsort(-x[:, 0] - rng.gumbel(size=len(x)))[: LENGTH - START]
    keep = rng.permutation(keep)
    return x[keep], word[keep], y[keep]


def _missing(x: np.ndarray, word: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    x[rng.random(len(x)) < 0.7, 0] = np.nan
    return x, word


def _noise(x: np.ndarray, word: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    return x + rng.normal(size=x.shape), word


def _swapped(x: np.ndarray, word: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    return x, (word + 1) % 4


def _turns(step: int, **changes: Any) -> Maker:
    """The change and the old law take turns."""

    def make(world: World, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        left, parts, on = LENGTH - START, [], True
        while left > 0:
            parts.append(world.draw(min(step, left), rng, **(changes if on else {})))
            left, on = left - step, not on
        return tuple(np.concatenate(one) for one in zip(*parts, strict=True))  # type: ignore[return-value]

    return make


def _slowly(turn: float) -> Maker:
    def make(world: World, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        count = (LENGTH - START) // 100
        parts = [world.draw(100, rng, turn=turn * (i + 1) / count) for i in range(count)]
        return tuple(np.concatenate(one) for one in zip(*parts, strict=True))  # type: ignore[return-value]

    return make


def _ordered(how: str) -> Maker:
    def make(world: World, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        n = LENGTH - START
        if how == "sorted":
            labels = np.sort(rng.integers(0, world.classes, n))
        else:
            labels = np.repeat(rng.integers(0, world.classes, n // 50 + 1), 50)[:n]
        return world.draw(n, rng, labels=labels)

    return make


def makers(world: World) -> Iterator[tuple[str, str, Maker]]:
    """Yield (name, kind, maker) of every stream of a world."""
    yield "no drift", "none", _after()
    if world.classes:
        yield "class-sorted", "order", _ordered("sorted")
        yield "bursts of 50", "order", _ordered("bursts")
        for p in (0.8, 0.95):
            yield f"one class {p}", "label", _after(shares=one_class(world, p))
        yield "one class 0.9, in turns", "recurring", _turns(1000, shares=one_class(world, 0.9))
    else:
        yield "level + 2", "label", _after(level=2.0)
        yield "level + 2, in turns", "recurring", _turns(1000, level=2.0)
    yield "two columns × 10", "covariate", _first(lambda x: 10 * x)
    yield "two columns + 1.5", "covariate", _first(lambda x: x + 1.5)
    yield "two columns × 2", "covariate", _first(lambda x: 2 * x)
    yield "two columns turned round", "unfixable", _first(lambda x: -x)
    yield "other population", "population", _population
    yield "a column missing", "missing", _moved(_missing)
    yield "noise", "noise", _moved(_noise)
    yield "categories swapped", "covariate", _moved(_swapped)
    yield "concept turned", "concept", _after(turn=1.2)
    yield "concept flipped", "concept", _after(turn=np.pi)
    yield "concept turns slowly", "concept", _slowly(1.5)
    yield "concept in turns", "recurring", _turns(1500, turn=1.2)


def streams(world: World, seed: int) -> Iterator[Stream]:
    """Yield the streams of a world; some arrive in large blocks, some a row at a time."""
    for i, (name, kind, make) in enumerate(makers(world)):
        rng = np.random.default_rng([seed, i, 11])
        first, rest = world.draw(START, rng), make(world, rng)
        x, word, y = (np.concatenate([a, b]) for a, b in zip(first, rest, strict=True))
        batch = (64, 16, 256, 64)[(i + seed) % 4]
        yield Stream(name, kind, rows_of(x, word), y, START, batch)
    rng = np.random.default_rng([seed, 99, 11])
    x, word, y = world.draw(LENGTH, rng)
    told = y.copy()
    wrong = rng.random(LENGTH) < 0.3
    told[wrong] = rng.permutation(y)[wrong]
    yield Stream("a third of the labels wrong", "poison", rows_of(x, word), y, START, 64, told)
