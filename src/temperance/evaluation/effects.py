"""How the answer moves with one column: accumulated local effects for numbers, mean answers for categories."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from temperance.evaluation.base import Array
from temperance.evaluation.cells import belongs
from temperance.evaluation.influence import Asked
from temperance.records.schema import Column, Rows, Schema

EDGES = 11
CATEGORIES = 8
DRAWS = 200
LEAST_LEVELS = 3


@dataclass(frozen=True)
class Effect:
    """The mean answer along one column.

    Attributes:
        column: its name; a part of a date has its own.
        part: see ``records.schema.Column``; ``days`` stands for a date.
        answer: the class whose chance is told; empty for regression.
        points: ``at`` (a number or a category), ``value`` and the ends of its 95 % bootstrap interval over rows.

    """

    column: str
    part: str
    answer: str
    points: tuple[dict[str, Any], ...]

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-safe fields."""
        return {"column": self.column, "part": self.part, "answer": self.answer, "points": list(self.points)}


def told_class(asked: Asked) -> int:
    """Return the class whose chance is told: the second of two, else the one that is answered most often."""
    if asked.before.ndim == 1 or asked.before.shape[1] == 2:
        return 1
    return int(np.bincount(asked.answered(asked.before)).argmax())


def told(answers: Array, number: int) -> Array:
    """Return what is told of answers: (b,) the chance of one class, or the values.

    Shapes: answers (b, c) or (b,).
    """
    return answers if answers.ndim == 1 else answers[:, number]


def leading(asked: Asked, schema: Schema, names: tuple[str, ...]) -> Column | None:
    """Return the column, of those read from ``names``, that goes most with the answer; numbers first.

    None: they are texts or series, which have no order.
    """
    value = told(asked.before, told_class(asked))
    numeric = [(j, c) for j, c in enumerate(schema.numeric) if belongs(c, names)]
    if not numeric:
        return next((c for c in schema.categorical if belongs(c, names)), None)
    return max(numeric, key=lambda pair: _correlation(asked.clean.numeric[:, pair[0]], value))[1]


def effect(asked: Asked, schema: Schema, column: Column, *, seed: int = 0) -> Effect | None:
    """Return the effect of a column, or None where it has too few values.

    For numbers these are accumulated local effects (Apley and Zhu 2020), which ask for no row that cannot exist: within
    each bin of neighbouring quantiles, f(upper edge) − f(lower edge) over the rows of the bin, added up and moved so
    that their mean over the rows is the mean answer. For categories: the mean answer with all rows set to each.
    """
    number = told_class(asked)
    classes = schema.target.classes
    answer = classes[number] if asked.classes else ""
    generator = np.random.default_rng([seed, 0xA1E])
    if column in schema.numeric:
        points = _accumulated(asked, schema.numeric.index(column), number, generator)
    else:
        points = _by_category(asked, schema.categorical.index(column), column, number, generator)
    return Effect(column.name, column.part, answer, points) if len(points) >= 2 else None


def _accumulated(asked: Asked, j: int, number: int, generator: np.random.Generator) -> tuple[dict[str, Any], ...]:
    x = np.asarray(asked.clean.numeric[:, j], dtype=np.float64)
    known = np.flatnonzero(np.isfinite(x))
    if len(known) < 2:
        return ()
    edges = np.unique(np.quantile(x[known], np.linspace(0, 1, EDGES), method="closest_observation"))
    if len(edges) < 2:
        return ()
    rows = asked.clean.take(known)
    bins = np.clip(np.searchsorted(edges, x[known], side="left") - 1, 0, len(edges) - 2)
    upper, lower = (told(asked.predict(_set(rows, j, edges[bins + step])), number) for step in (1, 0))
    gaps, mean = upper - lower, float(told(asked.before, number).mean())
    curve = _curve(gaps, bins, len(edges)) + mean
    draws = generator.integers(len(known), size=(DRAWS, len(known)))
    spread = np.array([_curve(gaps[d], bins[d], len(edges)) for d in draws]) + mean
    return _points([float(e) for e in edges], curve, spread, asked.classes)


def _curve(gaps: Array, bins: NDArray[np.int64], edges: int) -> Array:
    """Return the effect at each edge, its mean over the rows moved to zero."""
    count = np.bincount(bins, minlength=edges - 1)
    total = np.bincount(bins, weights=gaps, minlength=edges - 1)
    curve: Array = np.concatenate([[0.0], np.cumsum(total / np.maximum(count, 1))])
    middle = (curve[1:] + curve[:-1]) / 2
    centred: Array = curve - float((middle * count).sum() / max(1, count.sum()))
    return centred


def _by_category(
    asked: Asked, j: int, column: Column, number: int, generator: np.random.Generator
) -> tuple[dict[str, Any], ...]:
    codes = asked.clean.categorical[:, j]
    seen, count = np.unique(codes[codes >= 0], return_counts=True)
    kept = seen[np.argsort(-count, kind="stable")][:CATEGORIES]
    if not len(kept):
        return ()
    answers = np.stack([told(asked.predict(_set_category(asked.clean, j, int(code))), number) for code in kept])
    draws = generator.integers(asked.n, size=(DRAWS, asked.n))
    spread = np.array([answers[:, d].mean(axis=1) for d in draws])
    return _points([column.vocabulary[code] for code in kept], answers.mean(axis=1), spread, asked.classes)


def _points(at: list[Any], value: Array, spread: Array, is_share: bool) -> tuple[dict[str, Any], ...]:
    low, high = np.quantile(spread, [0.025, 0.975], axis=0)
    ends = (0.0, 1.0) if is_share else (-np.inf, np.inf)
    columns = [np.clip(part, *ends).tolist() for part in (value, low, high)]
    return tuple({"at": a, "value": v, "low": lo, "high": hi} for a, v, lo, hi in zip(at, *columns, strict=True))


def _set(rows: Rows, j: int, values: Array) -> Rows:
    numeric = rows.numeric.copy()
    numeric[:, j] = values
    return rows._replace(numeric=numeric)


def _set_category(rows: Rows, j: int, code: int) -> Rows:
    categorical = rows.categorical.copy()
    categorical[:, j] = code
    return rows._replace(categorical=categorical)


def _correlation(x: Array, value: Array) -> float:
    known = np.isfinite(x) & np.isfinite(value)
    if known.sum() < LEAST_LEVELS or x[known].std() == 0 or value[known].std() == 0:
        return 0.0
    first, second = (np.argsort(np.argsort(v[known], kind="stable"), kind="stable") for v in (x, value))
    return abs(float(np.corrcoef(first.astype(np.float64), second.astype(np.float64))[0, 1]))
