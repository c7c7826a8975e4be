"""Which columns the answers hang on: how much worse they get when a column no longer belongs to its row."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from temperance.evaluation.base import CLIP, Array, answered
from temperance.evaluation.cells import of_columns, taken
from temperance.evaluation.prediction import batches
from temperance.records.measurement import Measurement
from temperance.records.predictor import Predictor
from temperance.records.schema import Rows, Schema
from temperance.records.statistics import mean_interval, pool_groups
from temperance.records.table import Table

ALIKE = 0.7  # columns whose ranks correlate by so much or more are shuffled together
_CONVENTIONS = {
    "log_loss": "mean rise of the log loss over shuffles of the columns; Student interval over rows",
    "mae": "mean rise of the absolute error over shuffles of the columns; Student interval over rows",
    "accuracy": "mean fall of the share of right answers over shuffles of the columns; Student interval over rows",
}


@dataclass(frozen=True)
class Influence:
    """What is lost when a column, or several that tell the same, is shuffled over the rows.

    Attributes:
        columns: names in the file; several where their values go together.
        loss: rise of the mean log loss, or of the mean absolute error.
        wrong: rise of the share of wrong answers; None for regression.
        repeats: count of shuffles.

    """

    columns: tuple[str, ...]
    loss: Measurement
    wrong: Measurement | None
    repeats: int

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-safe fields."""
        return {
            "columns": list(self.columns),
            "loss": self.loss.to_dict(),
            "wrong": None if self.wrong is None else self.wrong.to_dict(),
            "repeats": self.repeats,
        }


def influence(
    asked: Asked,
    schema: Schema,
    *,
    repeats: int = 5,
    most: int = 40,
    seed: int = 0,
    deadline: float | None = None,
) -> tuple[tuple[Influence, ...], tuple[tuple[str, str], ...]]:
    """Shuffle one group of columns at a time and return the groups, the most telling first, and what was left out.

    Permutation importance (Breiman 2001; Fisher, Rudin and Dominici 2019) on rows that the model did not learn, jointly
    for columns that tell the same: by itself, each of two equal columns would seem useless.

    Args:
        asked: the model on at least two rows.
        schema: their columns.
        repeats: shuffles of each group; the first of all groups comes before the second of any.
        most: at most so many groups, in file order.
        seed: of the shuffles.
        deadline: ``time.perf_counter()`` from which on nothing new is begun.

    """
    every = alike(schema, asked.clean)
    groups, more = every[:most], [name for group in every[most:] for name in group]
    left = [(f"importance of {len(more)} columns from {more[0]!r} on", f"only {most} are looked at")] if more else []
    generator = np.random.default_rng([seed, 0x1F1E])
    loss, wrong = np.zeros((len(groups), asked.n)), np.zeros((len(groups), asked.n))
    count = np.zeros(len(groups), dtype=np.int64)
    for _ in range(repeats):
        for g, columns in enumerate(groups):
            if deadline is not None and time.perf_counter() >= deadline:
                break
            answers = asked.predict(put(asked.clean, schema, columns, generator.permutation(asked.n)))
            loss[g] += asked.loss(answers) - asked.base
            wrong[g] += asked.wrong(answers) - asked.base_wrong
            count[g] += 1
    untold = [name for g, columns in enumerate(groups) if not count[g] for name in columns]
    if untold:
        left.append((f"importance of {len(untold)} columns from {untold[0]!r} on", "no time left"))
    found = [
        Influence(
            columns,
            asked.measure("log_loss" if asked.classes else "mae", loss[g] / count[g]),
            asked.measure("accuracy", wrong[g] / count[g]) if asked.classes else None,
            int(count[g]),
        )
        for g, columns in enumerate(groups)
        if count[g]
    ]
    return tuple(sorted(found, key=lambda f: -f.loss.value)), tuple(left)


class Asked:
    """A predictor on fixed rows, with its answers and its losses there."""

    def __init__(self, predictor: Predictor, table: Table, rows: NDArray[np.int64]) -> None:
        self.predictor, self.n = predictor, len(rows)
        self.clean, self.truth = table.rows.take(rows), table.target[rows]
        self.classes = table.schema.target.task != "regression"
        self.groups = None if table.group is None else table.group[rows]
        self.decision, self.ordered = getattr(predictor, "decision", None), table.schema.target.ordered
        self.before = self.predict(self.clean)
        self.base, self.base_wrong = self.loss(self.before), self.wrong(self.before)

    def predict(self, rows: Rows) -> Array:
        """Return probabilities (b, c) or values (b,)."""
        with np.errstate(all="ignore"):
            parts = [
                np.asarray(self.predictor.predict(rows.take(part)), dtype=np.float64) for part in batches(rows.size)
            ]
        whole = np.concatenate(parts)
        return whole if self.classes else whole.reshape(len(whole), -1)[:, 0]

    def loss(self, answers: Array) -> Array:
        """Return (b,) log losses or absolute errors; an answer that is not finite costs as much as a sure mistake."""
        if self.classes:
            chance = np.nan_to_num(answers[np.arange(self.n), self.truth.astype(np.int64)], nan=0.0)
            found: Array = -np.log(np.clip(chance, CLIP, 1.0))
            return found
        off: Array = np.nan_to_num(np.abs(answers - self.truth), nan=1e100, posinf=1e100)
        return off

    def wrong(self, answers: Array) -> Array:
        """Return (b,) 1 where the answer is wrong; zeros for regression."""
        if not self.classes:
            return np.zeros(self.n)
        bad: Array = (self.answered(answers) != self.truth).astype(np.float64)
        return bad

    def answered(self, answers: Array) -> NDArray[np.int64]:
        """Return the class (b,) that a user is told for probabilities (b, c): under costs the cheapest one."""
        return answered(answers, self.decision, ordered=self.ordered)

    def measure(self, name: str, rises: Array) -> Measurement:
        """Return the mean of rises (b,) with its interval."""
        low, high = mean_interval(pool_groups(rises, self.groups))
        first, last = (float(end) if math.isfinite(end) else None for end in (low, high))
        mean, convention = float(rises.mean()), _CONVENTIONS[name]
        return Measurement(f"influence/{name}", mean, first, last, self.n, convention=convention, better="neither")


def alike(schema: Schema, rows: Rows) -> list[tuple[str, ...]]:
    """Group the columns of the file whose ranks correlate by ``ALIKE`` or more with every other one of the group."""
    names = list(dict.fromkeys(c.source or c.name for c in schema.columns))
    pairs = list(zip(schema.numeric, _ranks(rows.numeric), strict=True))
    ranks = {c.source or c.name: rank for c, rank in reversed(pairs)}  # of a date its first part
    groups: list[list[str]] = []
    for name in names:
        home = next((g for g in groups if all(_together(ranks, name, other) for other in g)), None)
        if home is None:
            groups.append([name])
        else:
            home.append(name)
    return [tuple(group) for group in groups]


def _together(ranks: dict[str, Array], first: str, second: str) -> bool:
    if first not in ranks or second not in ranks:
        return False
    return bool(abs(float(ranks[first] @ ranks[second])) >= ALIKE)


def _ranks(numeric: NDArray[np.float64]) -> list[Array]:
    """Return the ranks of each column, with mean 0 and length 1; a gap is in the middle, ties share their rank."""
    out = []
    for x in numeric.T:
        _, place, count = np.unique(x, return_inverse=True, return_counts=True)
        rank = (np.cumsum(count) - (count + 1) / 2)[place]
        known = np.isfinite(x)
        rank = np.where(known, rank, rank[known].mean() if known.any() else 0.0)
        rank = rank - rank.mean()
        length = float(np.linalg.norm(rank))
        out.append(rank / length if length > 0 else rank)
    return out


def put(rows: Rows, schema: Schema, names: tuple[str, ...], order: NDArray[np.int64]) -> Rows:
    """Return the rows with the columns ``names`` taken from the rows ``order``.

    Shapes: order (b,).
    """
    return taken(rows, rows.take(order), of_columns(schema, names))
