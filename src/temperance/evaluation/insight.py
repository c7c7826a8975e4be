"""What the answers depend on and how they are wrong, of one model on its test rows, within a time limit."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from temperance.evaluation.base import Outcome
from temperance.evaluation.effects import Effect, effect, leading
from temperance.evaluation.examples import Example, examples
from temperance.evaluation.influence import Asked, Influence, influence
from temperance.evaluation.mistakes import mistakes
from temperance.records.predictor import Predictor
from temperance.records.table import Table

ROWS = 500  # test rows looked at, a random part above
SHARE = 0.6  # of the time, for the importance of columns
TOP = 4  # columns whose effect is told
NO_TIME = "no time left"


@dataclass(frozen=True)
class Insight:
    """What was found.

    Attributes:
        influence: groups of columns, the most telling first.
        effects: how the answer moves with the leading columns.
        examples: three rows with their reasons.
        mistakes: see ``mistakes``.
        n: rows that were looked at.
        seconds: time it took.
        left_out: pairs (what, why).

    """

    influence: tuple[Influence, ...] = ()
    effects: tuple[Effect, ...] = ()
    examples: tuple[Example, ...] = ()
    mistakes: dict[str, Any] = field(default_factory=dict)
    n: int = 0
    seconds: float = 0.0
    left_out: tuple[tuple[str, str], ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-safe fields."""
        return {
            "influence": [one.to_dict() for one in self.influence],
            "effects": [one.to_dict() for one in self.effects],
            "examples": [one.to_dict() for one in self.examples],
            "mistakes": self.mistakes,
            "n": self.n,
            "seconds": self.seconds,
            "left_out": [{"what": what, "why": why} for what, why in self.left_out],
        }


def insight(
    predictor: Predictor,
    table: Table,
    index: NDArray[np.int64],
    seen: Outcome,
    *,
    seed: int = 0,
    budget_seconds: float | None = None,
) -> Insight:
    """Look into a model; the table of mistakes is always made, the rest as far as the time goes.

    Shapes: index (n,).

    Args:
        predictor: the model with its preprocessing.
        table: where the rows are.
        index: rows that ``seen`` was made from.
        seen: the answers to them.
        seed: of everything random.
        budget_seconds: stop after so long.

    """
    start = time.perf_counter()
    wrong = mistakes(seen, table.schema.target.classes, seed=seed)
    if table.schema.kind != "table":
        none = (("importance of columns", "images have no columns"),)
        return Insight(mistakes=wrong, n=seen.n, seconds=time.perf_counter() - start, left_out=none)
    rows = index
    if len(rows) > ROWS:
        rows = np.sort(np.random.default_rng([seed, 0x1175]).choice(rows, size=ROWS, replace=False))
    end = None if budget_seconds is None else start + budget_seconds
    if len(rows) < 2 or (budget_seconds is not None and budget_seconds <= 0):
        why = NO_TIME if len(rows) >= 2 else "too few test rows"
        return Insight(mistakes=wrong, n=len(rows), left_out=(("importance of columns", why),))
    first = None if budget_seconds is None else start + SHARE * budget_seconds
    asked = Asked(predictor, table, rows)
    found, left = influence(asked, table.schema, seed=seed, deadline=first)
    groups = [one.columns for one in found]
    shown, late = examples(asked, table.schema, rows, groups, seed=seed, deadline=end) if groups else ((), ())
    effects, later = _effects(asked, table, found, seed, end)
    seconds = time.perf_counter() - start
    return Insight(found, effects, shown, wrong, len(rows), seconds, (*left, *late, *later))


def _effects(
    asked: Asked, table: Table, found: tuple[Influence, ...], seed: int, end: float | None
) -> tuple[tuple[Effect, ...], tuple[tuple[str, str], ...]]:
    made: list[Effect] = []
    for one in found[:TOP]:
        if end is not None and time.perf_counter() >= end:
            return tuple(made), ((f"effect of {one.columns[0]!r}", NO_TIME),)
        column = leading(asked, table.schema, one.columns)
        drawn = None if column is None else effect(asked, table.schema, column, seed=seed)
        if drawn is not None:
            made.append(drawn)
    return tuple(made), ()
