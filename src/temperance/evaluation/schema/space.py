"""Rules at work on rows: which rows could exist, which changes are allowed, and the nearest allowed change."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from temperance.evaluation.base import Array
from temperance.evaluation.schema.rules import Rules
from temperance.records.errors import SettingError
from temperance.records.schema import Rows, Schema

Mask = NDArray[np.bool_]
TOLERANCE = 1e-6  # of sums and orders, relative to the size of the numbers


@dataclass(frozen=True)
class Budget:
    """How much of a row an attack may change. What is None is not limited.

    Attributes:
        scales: change of each number, in ``scale`` of its column.
        columns: count of columns that may differ; a group of ``one_of`` is one column.
        cost: summed price of all changes.
        categories: whether categories and groups of ``one_of`` may change at all.

    Raises:
        SettingError: a limit below 0, or none at all.

    """

    scales: float | None = None
    columns: int | None = None
    cost: float | None = None
    categories: bool = True

    def __post_init__(self) -> None:
        limits = [n for n in (self.scales, self.columns, self.cost) if n is not None]
        if not limits or any(not (n >= 0 and np.isfinite(n)) for n in limits):
            raise SettingError(
                f"a budget of scales={self.scales}, columns={self.columns}, cost={self.cost}",
                "at least one limit, each a finite number of 0 or more",
                "Give scales=0.25, say",
            )

    @property
    def words(self) -> str:
        """The budget, for readers."""
        parts = [] if self.scales is None else [f"each number by up to {self.scales:g} of its spread"]
        parts += (
            []
            if self.columns is None
            else [f"any valid value in at most {self.columns} column{'s' * (self.columns != 1)}"]
        )
        parts += [] if self.cost is None else [f"at a cost of at most {self.cost:g}"]
        return ", ".join(parts) + ("" if self.categories else ", categories as they are")


class Space:
    """Compiled rules.

    Args:
        rules: of the columns.
        schema: of the model.

    Raises:
        SettingError: rules that do not fit the schema.

    """

    def __init__(self, rules: Rules, schema: Schema) -> None:
        self.rules, self.schema = rules.check(schema), schema
        numeric = [self.rules.columns[c.name] for c in schema.numeric]
        categorical = [self.rules.columns[c.name] for c in schema.categorical]
        self.low = np.array([-np.inf if r.low is None else r.low for r in numeric])
        self.high = np.array([np.inf if r.high is None else r.high for r in numeric])
        self.scale = np.array([r.scale for r in numeric])
        self.price = np.array([r.price for r in numeric])
        self.whole = np.array([r.integer for r in numeric], dtype=bool)
        self.rise = np.array([r.change in ("free", "up") for r in numeric], dtype=bool)
        self.fall = np.array([r.change in ("free", "down") for r in numeric], dtype=bool)
        self.switch = np.array([r.change == "free" for r in categorical], dtype=bool)
        self.switch_price = np.array([r.price_of_change for r in categorical])
        self.allowed = [_codes(r.values, c.vocabulary) for r, c in zip(categorical, schema.categorical, strict=True)]
        at = {c.name: j for j, c in enumerate(schema.numeric)}
        self.at_most = [(at[a], at[b]) for a, b in self.rules.at_most]
        self.implies = [(at[a], at[b]) for a, b in self.rules.implies]
        self.sums = [(np.array([at[p] for p in one.parts]), at[one.total]) for one in self.rules.sums]
        self.groups = [np.array([at[name] for name in group]) for group in self.rules.one_of]
        self.grouped = np.zeros(len(numeric), dtype=bool)
        for group in self.groups:
            self.grouped[group] = True

    @cached_property
    def movable(self) -> NDArray[np.int64]:
        """Numbers (m,) of the numeric columns outside groups that may change."""
        return np.flatnonzero((self.rise | self.fall) & ~self.grouped)

    @cached_property
    def switchable(self) -> list[NDArray[np.int64]]:
        """Groups, each (k,) column numbers, whose columns may all change."""
        return [group for group in self.groups if (self.rise & self.fall)[group].all()]

    def sound(self, rows: Rows) -> Mask:
        """Return which rows could exist by themselves: bounds, whole numbers, groups and relations, (b,) bool."""
        found: Mask = ~np.any([*self.faults(rows).values()], axis=0)
        return found

    def faults(self, rows: Rows) -> dict[str, Mask]:
        """Return what is wrong with rows by themselves, (b,) bool for each rule; a missing value breaks none."""
        x = rows.numeric
        with np.errstate(invalid="ignore"):
            found = {
                "finite": np.isinf(x).any(axis=1),
                "bounds": ((x < self.low) | (x > self.high)).any(axis=1),
                "whole numbers": (self.whole & np.isfinite(x) & (x != np.rint(x))).any(axis=1),
            }
            for a, b in self.at_most:
                found[f"order {a} {b}"] = x[:, a] > x[:, b] + _slack(x[:, b])
            for parts, total in self.sums:
                found[f"sum {total}"] = np.abs(x[:, parts].sum(axis=1) - x[:, total]) > _slack(x[:, total])
            for a, b in self.implies:
                found[f"implies {a} {b}"] = (x[:, a] > 0) & (x[:, b] <= 0)
            for i, group in enumerate(self.groups):
                values = x[:, group]
                known = np.isfinite(values).all(axis=1)
                found[f"group {i}"] = known & ~(np.isin(values, (0.0, 1.0)).all(axis=1) & (values.sum(axis=1) == 1))
        return found

    def valid(self, original: Rows, changed: Rows, budget: Budget) -> Mask:
        """Return which changed rows could exist, come from the originals by allowed changes, within the budget.

        Shapes: (b,) bool.
        """
        x, o = changed.numeric, original.numeric
        same_gaps = (np.isnan(x) == np.isnan(o)).all(axis=1)
        with np.errstate(invalid="ignore"):
            moved = ((x > o) & ~self.rise) | ((x < o) & ~self.fall)
        fine = self.sound(changed) & same_gaps & ~moved.any(axis=1)
        for j, codes in enumerate(self.allowed):
            new, old = changed.categorical[:, j], original.categorical[:, j]
            kept = new == old
            fine &= kept if not self.switch[j] else kept | np.isin(new, codes)
        found: Mask = fine & self.within(original, changed, budget)
        return found

    def within(self, original: Rows, changed: Rows, budget: Budget) -> Mask:
        """Return which changes of rows keep to the budget: limits in scales, columns and prices. Shapes: (b,) bool."""
        fine = np.ones(original.size, dtype=bool)
        if budget.scales is not None:
            share = np.abs(self.difference(original, changed)) / self.scale
            limit = budget.scales * (1 + 1e-9) + 1e-12
            fine &= (share[:, ~self.grouped] <= limit).all(axis=1)
        if budget.columns is not None:
            fine &= self.count(original, changed) <= budget.columns
        if budget.cost is not None:
            fine &= self.cost(original, changed) <= budget.cost * (1 + 1e-9) + 1e-12
        if not budget.categories:
            fine &= (original.categorical == changed.categorical).all(axis=1)
            for group in self.groups:
                fine &= (self.difference(original, changed)[:, group] == 0).all(axis=1)
        return fine

    def difference(self, original: Rows, changed: Rows) -> Array:
        """Return changes of numbers (b, n), 0 where both are missing, infinite where one is."""
        x, o = changed.numeric, original.numeric
        gaps = np.isnan(x) | np.isnan(o)
        one = np.isnan(x) != np.isnan(o)
        return np.where(one, np.inf, np.where(gaps, 0.0, np.where(gaps, 0.0, x) - np.where(gaps, 0.0, o)))

    def count(self, original: Rows, changed: Rows) -> NDArray[np.int64]:
        """Return how many columns differ, (b,); a group counts once."""
        moved = self.difference(original, changed) != 0
        total = moved[:, ~self.grouped].sum(axis=1) + (original.categorical != changed.categorical).sum(axis=1)
        for group in self.groups:
            total = total + moved[:, group].any(axis=1)
        found: NDArray[np.int64] = np.asarray(total, dtype=np.int64)
        return found

    def cost(self, original: Rows, changed: Rows) -> Array:
        """Return the summed price of all changes, (b,)."""
        gap = np.abs(self.difference(original, changed))
        total: Array = np.where(gap > 0, gap * self.price, 0.0).sum(axis=1)
        switched = original.categorical != changed.categorical
        return total + switched @ self.switch_price if switched.shape[1] else total

    def reach(self, original: Rows, budget: Budget) -> tuple[Array, Array]:
        """Return the smallest and largest value (b, n) of each number that the budget and its own rule allow.

        The budget's limits are in scales, columns and prices of rows.
        """
        o = original.numeric
        far = np.full_like(o, np.inf) if budget.scales is None else np.full_like(o, budget.scales) * self.scale
        if budget.cost is not None:
            paid = np.where(self.price > 0, budget.cost / np.where(self.price > 0, self.price, 1.0), np.inf)
            far = np.minimum(far, paid)
        if budget.columns == 0:
            far = np.zeros_like(far)
        down, up = np.where(self.fall & ~self.grouped, far, 0.0), np.where(self.rise & ~self.grouped, far, 0.0)
        low = np.minimum(np.maximum(o - down, self.low), o)
        high = np.maximum(np.minimum(o + up, self.high), o)
        return low, high


def _codes(values: tuple[str, ...], vocabulary: tuple[str, ...]) -> NDArray[np.int32]:
    at = {word: code for code, word in enumerate(vocabulary)}
    return np.array([at[v] for v in values] if values else range(len(vocabulary)), dtype=np.int32)


def _slack(values: Any) -> Any:
    return TOLERANCE * np.maximum(1.0, np.abs(values))
