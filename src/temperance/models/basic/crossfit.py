"""Out-of-fold answers of a basic model, its settings chosen by the losses of all folds together."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from temperance.models.basic.base import BasicModel, FitPath, FittedBasic, Inputs, Sample
from temperance.records.schema import Schema

Index = NDArray[np.int64]
HALF = 0.5  # of a way's time: with less than that a further one would be cut too short to be worth its start


@dataclass(frozen=True, eq=False)
class CrossFit:
    """What a cross-fit gives.

    Attributes:
        answers: (n, c) probabilities or (n,) values on rows that the answering model did not train on; NaN elsewhere.
        members: the fitted model of each fold.
        chosen: settings of the ``BasicModel`` that fits the same on all rows (``fit(..., valid=None)``).
        tried: how many ways of fitting were compared (where time was short, fewer than there are).
        loss: pooled held-out loss of the chosen way.
        seconds: wall clock.
        again: settings that give the same without a clock, where the clock ended it; else None.

    """

    answers: NDArray[np.float64]
    members: tuple[FittedBasic, ...]
    chosen: dict[str, Any]
    tried: int
    loss: float
    seconds: float
    again: dict[str, Any] | None = None


def cross_fit(
    model: BasicModel,
    sample: Sample,
    folds: Sequence[tuple[Index, Index]],
    *,
    schema: Schema,
    seed: int = 0,
    until: float = math.inf,
    inputs: Callable[[Index], Inputs | None] | None = None,
) -> CrossFit | None:
    """Fit once per fold and way; choose one way and one stopping point for all folds, by their pooled loss.

    With every row held out once, the stopping point rests on all of them and no fold gives up rows to choose it by.
    The choice sees the same held rows that the answers are for: among some ten settings and a stopping point the
    optimism is small (``benchmarks/basics.py`` measures it), and the study's test rows are not touched.

    Args:
        model: settings.
        sample: all rows.
        folds: (training rows, held rows) per fold.
        schema: columns and target.
        seed: of what is random; fold i uses ``seed + i``.
        until: ``time.monotonic()`` after which no further way is tried.
        inputs: gives what widens rows, fitted on these training rows of a fold.

    Returns:
        The answers, or None where the clock ended it before the first way was through.

    Raises:
        DataError: a fold whose training rows have one class only, or images where the model takes tables.

    """
    started = time.monotonic()
    for rows, _ in folds:
        model.check(sample.rows.take(rows[:1]), sample.target[rows], schema)
    given = [None if inputs is None or model.blind else inputs(rows) for rows, _ in folds]
    parts = [_Part.of(sample, fold, schema, one, model.takes_wide) for fold, one in zip(folds, given, strict=True)]
    turn = _Turn(until)
    walks = [model.walk(p.train, p.held, schema=p.schema, seed=seed + i, until=turn) for i, p in enumerate(parts)]
    best: tuple[float, int, list[FitPath]] | None = None
    tried = 0
    while turn.is_open() and (paths := _next(walks, turn)) is not None:
        tried += 1
        curve = pooled(paths)
        step = int(curve.argmin())
        if best is None or curve[step] < best[0]:
            best = (float(curve[step]), step, paths)
    if best is None:
        return None
    loss, step, paths = best
    members = tuple(path.at(min(step, len(path.curve) - 1)) for path in paths)
    answers = _answers(members, parts, sample.size)
    members = tuple(replace(member, inputs=part.inputs) for member, part in zip(members, parts, strict=True))
    longest = max(range(len(paths)), key=lambda i: len(paths[i].curve))
    chosen = members[longest].rebuilt
    ended = model.takes_until and not model.settled and (turn.late or any(path.ended for path in paths))
    again = model.repeated(chosen, len(pooled(paths))) if ended else None
    return CrossFit(answers, members, chosen, tried, loss, time.monotonic() - started, again)


def pooled(paths: Sequence[FitPath]) -> NDArray[np.float64]:
    """Return the mean curve over folds by mass; a fold that stopped earlier keeps its last loss.

    Shapes: (steps,), as long as the longest curve, or the shortest of those that the clock ended: what a fold would
    have done beyond is not known.
    """
    length = max(len(path.curve) for path in paths)
    length = min([length, *(len(path.curve) for path in paths if path.ended)])
    curves = [path.curve[:length] for path in paths]
    padded = [np.pad(curve, (0, length - len(curve)), mode="edge") for curve in curves]
    mean: NDArray[np.float64] = np.average(padded, axis=0, weights=[path.mass for path in paths])
    return mean


@dataclass(eq=False)
class _Turn:
    """Shares the time that is left among the folds of one way, so that the clock ends all of them at about one step.

    Attributes:
        until: ``time.monotonic()`` at which all is to be through.
        at: the same for the fold whose turn it is.
        began: when the latest way began.
        late: there was no time for a further way.

    """

    until: float
    at: float = math.inf
    began: float = math.nan
    late: bool = False

    def __call__(self) -> float:
        """Return the moment for the fold whose turn it is."""
        return self.at

    def is_open(self) -> bool:
        """Return whether there is time for a further way: half of what the latest one took."""
        now = time.monotonic()
        needed = 0.0 if math.isnan(self.began) else HALF * (now - self.began)
        self.late = now + needed > self.until
        return not self.late

    def give(self, folds: int) -> None:
        """Give the next fold its share, where so many are left."""
        now = time.monotonic()
        self.at = now + (self.until - now) / folds


def _next(walks: Sequence[Any], turn: _Turn) -> list[FitPath] | None:
    """Return the next way of all folds; None after the last one, or where the clock ended it."""
    paths: list[FitPath] = []
    turn.began = time.monotonic()
    for walk in walks:
        turn.give(len(walks) - len(paths))
        turn.late = time.monotonic() > turn.until
        path = None if turn.late else next(walk, None)
        if path is None:
            return None
        paths.append(path)
    return paths


@dataclass(frozen=True, eq=False)
class _Part:
    """One fold: its rows as the model takes them."""

    train: Sample
    held: Sample
    places: Index
    schema: Schema
    inputs: Inputs | None

    @classmethod
    def of(cls, sample: Sample, fold: tuple[Index, Index], schema: Schema, inputs: Inputs | None, wide: bool) -> _Part:
        train, held = sample.take(fold[0]), sample.take(fold[1])
        if inputs is None:
            return cls(train, held, fold[1], schema, None)
        widened = schema if wide else inputs.widened
        return cls(train.widened(inputs, wide=wide), held.widened(inputs, wide=wide), fold[1], widened, inputs)


def _answers(members: Sequence[FittedBasic], parts: Sequence[_Part], size: int) -> Any:
    answers: NDArray[np.float64] | None = None
    for member, part in zip(members, parts, strict=True):
        answer = member.answer(part.held.rows, part.held.wide)
        if answers is None:
            answers = np.full((size, *answer.shape[1:]), np.nan)
        answers[part.places] = answer
    return answers
