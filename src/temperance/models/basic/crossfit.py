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

    """

    answers: NDArray[np.float64]
    members: tuple[FittedBasic, ...]
    chosen: dict[str, Any]
    tried: int
    loss: float
    seconds: float


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
    walks = [model.walk(p.train, p.held, schema=p.schema, seed=seed + i) for i, p in enumerate(parts)]
    best: tuple[float, int, list[FitPath]] | None = None
    tried = 0
    while time.monotonic() <= until and (paths := _next(walks, until)) is not None:
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
    return CrossFit(answers, members, members[longest].rebuilt, tried, loss, time.monotonic() - started)


def pooled(paths: Sequence[FitPath]) -> NDArray[np.float64]:
    """Return the mean curve over folds by mass; a fold that stopped earlier keeps its last loss.

    Shapes: (steps,), as long as the longest curve.
    """
    length = max(len(path.curve) for path in paths)
    padded = [np.pad(path.curve, (0, length - len(path.curve)), mode="edge") for path in paths]
    mean: NDArray[np.float64] = np.average(padded, axis=0, weights=[path.mass for path in paths])
    return mean


def _next(walks: Sequence[Any], until: float) -> list[FitPath] | None:
    """Return the next way of all folds; None after the last one, or where the clock ended it."""
    paths = []
    for walk in walks:
        path = next(walk, None) if time.monotonic() <= until else None
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
