"""How well the model does when its raw inputs are damaged, before any preprocessing.

Every model meets the same damage: random numbers depend on the seed, the family, the repeat and the batch alone, and
severities of one repeat differ in size only.
"""

from __future__ import annotations

import time
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from temperance.evaluation.base import Array, answered
from temperance.evaluation.corruption.base import SEVERITIES, Corruption, Reference, reference
from temperance.evaluation.corruption.registry import CORRUPTIONS, families
from temperance.evaluation.prediction import batches, check_index, predict
from temperance.records.measurement import Measurement
from temperance.records.predictor import Predictor
from temperance.records.statistics import mean_interval, pool_groups
from temperance.records.table import Table

_TABLE_BATCH, _IMAGE_BATCH = 8192, 512
_CONVENTIONS = {
    True: "share of right answers, mean over families and severities",
    False: "R² (at least 0) against the mean of the clean targets, mean over families and severities",
}


@dataclass(frozen=True)
class Cell:
    """One family at one severity.

    Attributes:
        family: name of the corruption.
        severity: 1 … 5.
        level: size of the damage in the family's unit.
        measurement: accuracy, or R² floored at 0.
        flipped: share of rows whose answer changed; None for regression.
        confidence: mean probability of the answer given, to be read beside the accuracy: most models are far too sure
            of answers to damaged inputs; None for regression.

    """

    family: str
    severity: int
    level: float
    measurement: Measurement
    flipped: float | None = None
    confidence: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-safe fields."""
        return {
            "family": self.family,
            "severity": self.severity,
            "level": self.level,
            "measurement": self.measurement.to_dict(),
            "flipped": self.flipped,
            "confidence": self.confidence,
        }


@dataclass(frozen=True, eq=False)
class Robustness:
    """What damage does to the model.

    Attributes:
        overall: mean quality over all families and severities, with interval.
        clean: quality of the same rows undamaged.
        cells: one per family and severity.
        drops: clean − mean quality per family, with paired interval; the largest is the worst family.
        losses: (b,) per-row losses behind ``overall``, for ``compare(…, metric="robustness")``.
        rows: row numbers (b,) that were used.
        left_out: pairs (what, why).
        repeats: how often each family was drawn.

    """

    overall: Measurement
    clean: Measurement
    cells: tuple[Cell, ...]
    drops: tuple[Measurement, ...]
    losses: Array = field(repr=False)
    rows: NDArray[np.int64] = field(repr=False)
    left_out: tuple[tuple[str, str], ...] = ()
    repeats: int = 1

    @property
    def worst_family(self) -> str | None:
        """Return the family with the largest drop."""
        return max(self.drops, key=lambda m: m.value).name.rsplit("/", 1)[-1] if self.drops else None

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-safe fields (without the per-row losses)."""
        return {
            "overall": self.overall.to_dict(),
            "clean": self.clean.to_dict(),
            "cells": [cell.to_dict() for cell in self.cells],
            "drops": [drop.to_dict() for drop in self.drops],
            "worst_family": self.worst_family,
            "words": {name: CORRUPTIONS[name].words for name in dict.fromkeys(c.family for c in self.cells)},
            "repeats": self.repeats,
            "rows": len(self.rows),
            "left_out": [{"what": what, "why": why} for what, why in self.left_out],
        }


def probe(
    predictor: Predictor,
    table: Table,
    index: NDArray[Any] | None = None,
    *,
    names: Sequence[str] | None = None,
    basic: bool = True,
    repeats: int = 1,
    limit: int | None = 1000,
    seed: int = 0,
    clean_rows: NDArray[Any] | None = None,
    budget_seconds: float | None = None,
) -> Robustness:
    """Damage rows, predict, and compare with the undamaged rows.

    Shapes: index and clean_rows (n,).

    Args:
        predictor: the model with its preprocessing.
        table: where the rows are.
        index: rows to damage, all by default; above ``limit`` a random part of them.
        names: families; by default those that fit (of the quick suite, if ``basic``).
        basic: leave out families that take long.
        repeats: draws per family.
        limit: at most so many rows, or None.
        seed: of the damage and of the choice of rows.
        clean_rows: rows that the spread of columns is measured on; ``index`` by default.
        budget_seconds: leave out what would take longer, by name; the first draw of the first family always runs.

    Raises:
        DataError: no rows, or predictions or targets that cannot be used.

    """
    start = time.perf_counter()
    rows = _choose(check_index(table, index), limit, seed)
    known = rows if clean_rows is None else _choose(check_index(table, clean_rows), 10_000, seed)
    facts = reference(table.schema, table.rows.take(known))
    probed = _Probe(predictor, table, rows, facts, seed)
    chosen = families(facts, names=names, basic=basic)
    left_out = probed.run(chosen, repeats, None if budget_seconds is None else start + budget_seconds)
    return probed.result([f for f in chosen if (f.name, 1) in probed.sums], left_out, repeats)


class _Probe:
    """The sums of per-row scores while families are drawn."""

    def __init__(
        self, predictor: Predictor, table: Table, rows: NDArray[np.int64], facts: Reference, seed: int
    ) -> None:
        self.predictor, self.table, self.rows, self.facts, self.seed = predictor, table, rows, facts, seed
        self.batch = _TABLE_BATCH if table.schema.kind == "table" else _IMAGE_BATCH
        self.target = table.target[rows]
        self.groups = None if table.group is None else table.group[rows]
        self.classes = table.schema.target.task != "regression"
        self.before = predict(predictor, table, rows, batch=self.batch)
        self.decision = getattr(predictor, "decision", None)
        self.ordered = table.schema.target.ordered
        self.sums: dict[tuple[str, int], Array] = {}
        self.flips: dict[tuple[str, int], float] = {}
        self.stated: dict[tuple[str, int], float] = {}
        self.draws: dict[str, int] = {}

    def run(self, chosen: list[Corruption], repeats: int, deadline: float | None) -> list[tuple[str, str]]:
        """Draw each family once, then again; stop before what would pass the deadline."""
        left: list[tuple[str, str]] = []
        longest = 0.0
        for repeat in range(repeats):
            for family in chosen:
                if repeat > 0 and not family.chance:
                    continue
                begun = time.perf_counter()
                if deadline is not None and self.sums and begun + longest > deadline:
                    what = family.name if repeat == 0 else f"{family.name}, draw {repeat + 1} of {repeats}"
                    left.append((f"robustness: {what}", "no time left"))
                    continue
                self._draw(family, repeat)
                longest = max(longest, time.perf_counter() - begun)
        return left

    def _draw(self, family: Corruption, repeat: int) -> None:
        self.draws[family.name] = self.draws.get(family.name, 0) + 1
        for part in batches(len(self.rows), size=self.batch):
            clean = self.table.rows.take(self.rows[part])
            for severity in SEVERITIES:
                generator = np.random.default_rng(
                    [self.seed, zlib.crc32(family.name.encode()), repeat, part.start, 0xC0]
                )
                damaged = family(clean, severity=severity, reference=self.facts, generator=generator)
                with np.errstate(all="ignore"):  # a value a thousand times too large may overflow: it counts as wrong
                    guess = np.asarray(self.predictor.predict(damaged), dtype=np.float64)
                self._add((family.name, severity), part, guess)

    def _add(self, key: tuple[str, int], part: slice, guess: Array) -> None:
        """Add per-row scores: right or wrong, or the squared error; a prediction that is not finite is wrong."""
        sums = self.sums.setdefault(key, np.zeros(len(self.rows)))
        if self.classes:
            label, sound = self._answers(guess), np.isfinite(guess).all(axis=1)
            sums[part] += (label == self.target[part]) & sound
            changed = (label != self._answers(self.before[part])) | ~sound
            self.flips[key] = self.flips.get(key, 0.0) + float(changed.sum())
            stated = np.take_along_axis(guess, label[:, None], axis=1)[:, 0]
            self.stated[key] = self.stated.get(key, 0.0) + float(np.where(sound, stated, 0.0).sum())
        else:
            error = np.square(guess.reshape(-1) - self.target[part])
            sums[part] += np.where(np.isfinite(error), np.minimum(error, 1e100), 1e100)

    def result(self, chosen: list[Corruption], left_out: list[tuple[str, str]], repeats: int) -> Robustness:
        """Turn sums into measurements."""
        clean = self._scores(self.before, 1)
        table = {key: self._quality(total / self.draws[key[0]]) for key, total in self.sums.items()}
        cells = tuple(
            Cell(
                family.name,
                severity,
                family.levels(self.facts)[severity - 1],
                self._measure(f"robustness/{family.name}/{severity}", table[family.name, severity]),
                self._share(self.flips, family.name, severity),
                self._share(self.stated, family.name, severity),
            )
            for family in chosen
            for severity in SEVERITIES
        )
        means = {f.name: np.mean([table[f.name, s] for s in SEVERITIES], axis=0) for f in chosen}
        drops = tuple(self._measure(f"robustness_drop/{name}", clean - mean, drop=True) for name, mean in means.items())
        parts = np.mean(list(means.values()), axis=0) if means else clean
        flags = tuple(f"left out: {what.removeprefix('robustness: ')}" for what, _ in left_out if "draw" not in what)
        overall = self._measure("robustness", parts, flags=flags if means else (*flags, "nothing was damaged"))
        return Robustness(
            overall,
            self._measure("robustness/clean", clean),
            cells,
            drops,
            1.0 - parts,
            self.rows,
            tuple(left_out),
            repeats,
        )

    def _answers(self, guess: Array) -> NDArray[np.int64]:
        """Return the answers that a user of the model gets: under costs the cheapest, of levels the middle one."""
        return answered(guess, self.decision, ordered=self.ordered)

    def _share(self, sums: dict[tuple[str, int], float], family: str, severity: int) -> float | None:
        total = sums.get((family, severity))
        return None if total is None else total / self.draws[family] / len(self.rows)

    def _scores(self, guess: Array, draws: int) -> Array:
        if self.classes:
            return self._quality((self._answers(guess) == self.target) / draws)
        return self._quality(np.square(guess.reshape(-1) - self.target))

    def _quality(self, scores: Array) -> Array:
        """Return contributions: right answers, or R² floored at 0 linearised per row (see ``metrics.r2``)."""
        if self.classes:
            return np.asarray(scores, dtype=np.float64)
        spread = np.square(self.target - self.target.mean())
        m, v = float(scores.mean()), float(spread.mean())
        if m >= v:
            return np.full(len(scores), 1.0 if m == 0 else 0.0)
        r2: Array = 1 - m / v - (scores - m) / v + m * (spread - v) / v**2
        return r2

    def _measure(self, name: str, parts: Array, *, drop: bool = False, flags: tuple[str, ...] = ()) -> Measurement:
        low, high = mean_interval(
            pool_groups(parts, self.groups), scale="unit" if self.classes and not drop else "line"
        )
        return Measurement(
            name,
            float(parts.mean()),
            low if np.isfinite(low) else None,
            high if np.isfinite(high) else None,
            len(parts),
            convention=self._convention(drop),
            better="lower" if drop else "higher",
            flags=flags,
        )

    def _convention(self, drop: bool) -> str:
        text = "clean − damaged, same rows" if drop else _CONVENTIONS[self.classes]
        return text if self.table.weight is None else f"{text}; rows not weighted"


def _choose(rows: NDArray[np.int64], limit: int | None, seed: int) -> NDArray[np.int64]:
    if limit is None or len(rows) <= limit:
        return rows
    return np.sort(np.random.default_rng([seed, 0x5E1]).choice(rows, size=limit, replace=False))


def merge(parts: Sequence[Robustness]) -> Measurement:
    """Return one overall measurement from disjoint parts of the data (out-of-fold models, for one)."""
    losses = np.concatenate([part.losses for part in parts])
    low, high = mean_interval(1.0 - losses)
    first = parts[0].overall
    return Measurement(
        "robustness", float(1.0 - losses.mean()), low, high, len(losses), convention=first.convention, flags=first.flags
    )
