"""Attacks on rows of a table that only count where the changed row could exist.

Slopes move the numbers, every category is tried in turn, chance looks where neither leads; each step is repaired and
kept only where the margin grows. What is counted has passed ``Space.valid``.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from temperance.evaluation.base import Array
from temperance.evaluation.schema.repair import repair
from temperance.evaluation.schema.space import Budget, Mask, Space
from temperance.records.errors import SettingError, nearest
from temperance.records.schema import Rows

Ask = Callable[[Rows], Array]
Slope = Callable[[Rows, NDArray[np.int64]], Array]


class Effort(NamedTuple):
    """What a tier spends: steps along slopes, restarts, rounds over categories, proposals, draws, values per column."""

    steps: int
    restarts: int
    rounds: int
    proposals: int
    baseline: int
    grid: int


EFFORTS: dict[str, Effort] = {
    "quick": Effort(15, 1, 1, 30, 20, 3),
    "standard": Effort(40, 2, 2, 150, 50, 7),
    "publish": Effort(100, 4, 3, 1000, 200, 21),
}
_MOST_CODES = 64  # categories that are tried per column and round, a random part where there are more
_WIDEST = 64  # numbers that may move above which slopes are not estimated from answers


@dataclass(frozen=True, eq=False)
class Constrained:
    """What valid changes did.

    Attributes:
        budget: how much could change.
        right: rows that were right before, (b,) bool.
        attacked: of these, the rows that keep the rules themselves; the others stay as they are.
        survived: rows that are right and that no valid change broke, (b,) bool.
        rows: the changed rows, all valid; the originals where nothing was found.
        by_chance: rows that as many random valid changes leave right, (b,) bool: the yardstick.
        changed: columns that differ, (b,).
        cost: price of the changes, (b,).
        asked: rows that the model was asked.
        seconds: time it took.
        notes: what a reader must know of how it was done.

    """

    budget: Budget
    right: Mask
    attacked: Mask
    survived: Mask
    rows: Rows = field(repr=False)
    by_chance: Mask = field(repr=False)
    changed: NDArray[np.int64] = field(repr=False)
    cost: Array = field(repr=False)
    asked: int = 0
    seconds: float = 0.0
    notes: tuple[str, ...] = ()

    @property
    def accuracy(self) -> float:
        """Share of all rows that are right and stayed right."""
        return float(self.survived.mean())

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-safe fields (without rows)."""
        broken = self.right & ~self.survived
        return {
            "budget": {key: getattr(self.budget, key) for key in ("scales", "columns", "cost", "categories")},
            "words": self.budget.words,
            "n": len(self.right),
            "right": int(self.right.sum()),
            "attacked": int(self.attacked.sum()),
            "survived": int(self.survived.sum()),
            "survived_chance": int(self.by_chance.sum()),
            "median_columns_changed": float(np.median(self.changed[broken])) if broken.any() else None,
            "median_cost": float(np.median(self.cost[broken])) if broken.any() else None,
            "asked": self.asked,
            "seconds": self.seconds,
            "notes": list(self.notes),
        }


def attack(
    ask: Ask,
    rows: Rows,
    y: NDArray[np.int64],
    space: Space,
    budget: Budget,
    *,
    tier: str = "standard",
    seed: int = 0,
    slope: Slope | None = None,
    estimate: bool = True,
) -> Constrained:
    """Attack rows within a budget and the rules.

    Shapes: y (b,).

    Args:
        ask: rows → one number per class (b, c), the largest is the answer.
        rows: clean rows.
        y: true classes.
        space: the rules.
        budget: how much may change.
        tier: ``quick``, ``standard`` or ``publish``.
        seed: of everything random.
        slope: rows, classes → slope (b, n) of the margin by the numbers, where the model has one.
        estimate: where it has none, estimate it from answers (up to 64 columns).

    Raises:
        SettingError: another tier, or no rows.

    """
    if tier not in EFFORTS:
        raise SettingError(f"there is no tier {tier!r}", f"known are {', '.join(EFFORTS)}", nearest(tier, EFFORTS))
    if not rows.size:
        raise SettingError("no rows", "at least one", "Give rows with a known class")
    begun, effort = time.perf_counter(), EFFORTS[tier]
    hunt = _Hunt(ask, rows, y, space, budget, np.random.default_rng([seed, 0xADF]), slope)
    if slope is None and not (estimate and len(space.movable) <= _WIDEST):
        hunt.notes.append("no slopes: categories and chance only")
    chance = hunt.chance(effort.baseline)
    hunt.run(effort, estimate=estimate)
    done = rows._replace(numeric=hunt.numeric, categorical=hunt.codes)
    return Constrained(
        budget, hunt.right, hunt.attacked, hunt.right & ~hunt.broken, done, chance,
        space.count(rows, done), space.cost(rows, done), hunt.asked, time.perf_counter() - begun, tuple(hunt.notes),
    )  # fmt: skip


def margins(scores: Array, y: NDArray[np.int64]) -> Array:
    """Return the largest wrong score minus the right one, infinite where a score is not finite.

    Shapes: (b, c), (b,) → (b,).
    """
    at = np.arange(len(y))
    others = scores.copy()
    others[at, y] = -np.inf
    with np.errstate(invalid="ignore"):
        gap = others.max(axis=1) - scores[at, y]
    found: Array = np.where(np.isfinite(scores).all(axis=1), gap, np.inf)
    return found


class _Hunt:
    """The best valid row found so far for each clean one."""

    def __init__(
        self, ask: Ask, rows: Rows, y: NDArray[np.int64], space: Space, budget: Budget, generator: np.random.Generator,
        slope: Slope | None,
    ) -> None:  # fmt: skip
        self.ask, self.rows, self.y, self.space, self.budget = ask, rows, y, space, budget
        self.generator, self.slope = generator, slope
        self.asked = rows.size
        scores = np.asarray(ask(rows), dtype=np.float64)
        self.margin = margins(scores, y)
        self.right = (scores.argmax(axis=1) == y) & np.isfinite(scores).all(axis=1)
        self.attacked = self.right & space.sound(rows)
        self.broken = np.zeros(rows.size, dtype=bool)
        self.numeric, self.codes = rows.numeric.copy(), rows.categorical.copy()
        self.notes: list[str] = []
        if unsound := int((self.right & ~self.attacked).sum()):
            self.notes.append(f"{unsound} rows break the rules as they are and were not attacked")

    @property
    def left(self) -> NDArray[np.int64]:
        """Rows still under attack."""
        return np.flatnonzero(self.attacked & ~self.broken)

    def current(self, at: NDArray[np.int64]) -> Rows:
        """Return the best rows so far."""
        return self.rows.take(at)._replace(numeric=self.numeric[at], categorical=self.codes[at])

    def try_(self, at: NDArray[np.int64], wanted: Rows) -> tuple[Mask, Array]:
        """Repair proposals, ask the model, keep what is better; return which were better, and all margins."""
        mended, differs = repair(self.space, self.rows.take(at), wanted, self.budget)
        gain = np.full(len(at), -np.inf)
        wrong = np.zeros(len(at), dtype=bool)
        if differs.any():
            where = np.flatnonzero(differs)
            scores = np.asarray(self.ask(mended.take(where)), dtype=np.float64)
            self.asked += len(where)
            gain[where] = margins(scores, self.y[at[where]])
            wrong[where] = (scores.argmax(axis=1) != self.y[at[where]]) | ~np.isfinite(scores).all(axis=1)
        better = (gain > self.margin[at]) | wrong
        hit = at[better]
        self.margin[hit] = gain[better]
        self.numeric[hit], self.codes[hit] = mended.numeric[better], mended.categorical[better]
        self.broken[at[wrong]] = True
        return better, gain

    def chance(self, draws: int) -> Mask:
        """Return which rows stay right under random valid changes alone, (b,) bool; nothing is kept of them."""
        kept: Mask = self.right.copy()
        for _ in range(draws):
            at = np.flatnonzero(self.attacked & kept)
            if not len(at):
                break
            clean = self.rows.take(at)
            mended, differs = repair(self.space, clean, self._random(clean, clean, 1.0), self.budget)
            where = np.flatnonzero(differs)
            if len(where):
                scores = np.asarray(self.ask(mended.take(where)), dtype=np.float64)
                self.asked += len(where)
                kept[at[where]] &= scores.argmax(axis=1) == self.y[at[where]]
        return kept

    def run(self, effort: Effort, *, estimate: bool) -> None:
        """Follow slopes, switch categories, follow slopes again, then chance."""
        sloped = len(self.space.movable) > 0 and (
            self.slope is not None or (estimate and len(self.space.movable) <= _WIDEST)
        )
        for restart in range(effort.restarts):
            if restart and len(self.left):
                self.try_(self.left, self._random(self.rows.take(self.left), self.rows.take(self.left), 1.0))
            if sloped:
                self._climb(effort.steps)
            if self.budget.columns is not None:
                self._scan(effort.grid)
            for _ in range(effort.rounds):
                if not self._switch():
                    break
                if sloped:
                    self._climb(effort.steps // 2)
        for i in range(effort.proposals):
            at = self.left
            if not len(at):
                break
            share = max(0.1, 0.7 * (1 - i / effort.proposals))
            self.try_(at, self._random(self.rows.take(at), self.current(at), share))

    def _climb(self, steps: int) -> None:
        """Step along the sign of the slope; a row whose margin does not grow halves its step."""
        size = np.full(len(self.y), 1.0)
        for _ in range(steps):
            at = self.left[size[self.left] > 1e-3]
            if not len(at):
                return
            now = self.current(at)
            slope = self._slope(now, at)
            low, high = self.space.reach(self.rows.take(at), self.budget)
            width = np.where(np.isfinite(high - low), high - low, 2 * self.space.scale)
            wanted = now.numeric + size[at, None] * 0.5 * width * self._direction(slope)
            better, _ = self.try_(at, now._replace(numeric=wanted))
            size[at[~better]] /= 2

    def _scan(self, grid: int) -> None:
        """Try values over the whole reach of each number in turn: few columns may go far, where slopes do not see."""
        for j in self.space.movable:
            for share in np.linspace(0.0, 1.0, grid):
                at = self.left
                if not len(at):
                    return
                low, high = self._ends(self.rows.take(at))
                wanted = self.current(at)
                numeric = wanted.numeric.copy()
                numeric[:, j] = low[:, j] + share * (high[:, j] - low[:, j])
                self.try_(at, wanted._replace(numeric=numeric))

    def _ends(self, clean: Rows) -> tuple[Array, Array]:
        """Return the reach of each number (b, n), cut off at ten scales where it has no end."""
        low, high = self.space.reach(clean, self.budget)
        far = 10 * self.space.scale
        low = np.where(np.isfinite(low), low, clean.numeric - far)
        return low, np.where(np.isfinite(high), high, clean.numeric + far)

    def _direction(self, slope: Array) -> Array:
        """Return signs; of few columns or a price, only of those whose slope per price is largest."""
        sign = np.sign(slope)
        if self.budget.columns is not None and self.budget.columns < slope.shape[1]:
            worth = np.abs(slope) * self.space.scale
            edge = np.sort(worth, axis=1)[:, -max(self.budget.columns, 1)][:, None]
            sign = np.where(worth >= edge, sign, 0.0)
        if self.budget.cost is not None and slope.shape[1]:
            worth = np.abs(slope) / np.maximum(self.space.price, 1e-12)
            sign = np.where(worth >= 0.5 * worth.max(axis=1, keepdims=True), sign, 0.0)
        return sign

    def _slope(self, now: Rows, at: NDArray[np.int64]) -> Array:
        if self.slope is not None:
            return np.nan_to_num(self.slope(now, self.y[at]), nan=0.0, posinf=0.0, neginf=0.0)
        slope = np.zeros_like(now.numeric)
        step = 0.05 * self.space.scale
        for j in self.space.movable:
            ends = []
            for sign in (1.0, -1.0):
                moved = now.numeric.copy()
                moved[:, j] += sign * (max(1.0, step[j]) if self.space.whole[j] else step[j])
                ends.append(margins(np.asarray(self.ask(now._replace(numeric=moved)), dtype=np.float64), self.y[at]))
            self.asked += 2 * len(at)
            with np.errstate(invalid="ignore"):
                slope[:, j] = np.nan_to_num(ends[0] - ends[1], nan=0.0, posinf=0.0, neginf=0.0) / step[j]
        return slope

    def _switch(self) -> bool:
        """Try every allowed category of every column, and every member of every group; say whether anything helped."""
        helped = False
        if not self.budget.categories:
            return False
        for j, allowed in enumerate(self.space.allowed):
            if not self.space.switch[j]:
                continue
            codes = allowed
            if len(codes) > _MOST_CODES:
                codes = self.generator.choice(allowed, size=_MOST_CODES, replace=False)
                note = f"{_MOST_CODES} of {len(allowed)} categories of {self.space.schema.categorical[j].name!r} tried"
                self.notes += [] if note in self.notes else [note]
            for code in codes:
                at = self.left
                wanted = self.current(at)
                changed = wanted.categorical.copy()
                changed[:, j] = code
                helped |= bool(self.try_(at, wanted._replace(categorical=changed))[0].any())
        for group in self.space.switchable:
            for member in group:
                at = self.left
                wanted = self.current(at)
                numeric = wanted.numeric.copy()
                numeric[:, group] = 0.0
                numeric[:, member] = 1.0
                helped |= bool(self.try_(at, wanted._replace(numeric=numeric))[0].any())
        return helped

    def _random(self, clean: Rows, now: Rows, share: float) -> Rows:
        """Return proposals: a random share of the columns takes a random allowed value, at an end half of the time."""
        draw = self.generator
        low, high = self._ends(clean)
        shape = clean.numeric.shape
        place = draw.random(shape)
        place = np.where(draw.random(shape) < 0.5, np.rint(place), place)
        numeric = np.where(draw.random(shape) < share, low + place * (high - low), now.numeric)
        for group in self.space.switchable:
            swapped = draw.random(clean.size) < share
            numeric[:, group] = np.where(swapped[:, None], draw.random((clean.size, len(group))), now.numeric[:, group])
        codes = now.categorical.copy()
        for j, allowed in enumerate(self.space.allowed):
            if self.space.switch[j] and len(allowed):
                hit = draw.random(clean.size) < share
                codes[:, j] = np.where(hit, draw.choice(allowed, size=clean.size), codes[:, j])
        return now._replace(numeric=numeric, categorical=codes)
