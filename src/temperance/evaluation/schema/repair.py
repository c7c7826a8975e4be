"""Bring a changed row back to one that could exist; where that fails, back to the original."""

from __future__ import annotations

import numpy as np

from temperance.evaluation.base import Array
from temperance.evaluation.schema.space import Budget, Space
from temperance.records.schema import Rows

_ROUNDS = 3  # relations can hang together: a total may itself be a part


def repair(space: Space, original: Rows, changed: Rows, budget: Budget) -> tuple[Rows, np.ndarray]:
    """Return the nearest allowed rows that were found, and which of them differ from the originals.

    Numbers are drawn in to what the budget allows and rounded toward the original; the category asked for stays if it
    is allowed; totals are computed again; what breaks an order or an implication goes back. The last word has
    ``Space.valid``: a row that is not valid becomes the original, so that no invalid row ever leaves here.
    Shapes: (b,) bool.

    Args:
        space: the rules.
        original: rows that are sound.
        changed: what an attack would like.
        budget: how much may change.

    """
    o = original.numeric
    low, high = space.reach(original, budget)
    x = np.where(np.isnan(o), o, np.clip(np.where(np.isnan(changed.numeric), o, changed.numeric), low, high))
    x[:, space.grouped] = o[:, space.grouped]
    _groups(space, o, changed.numeric, x, budget)
    codes = _categories(space, original, changed, budget)
    x = _few(space, original, x, codes, budget)
    x = _cheap(space, original, x, codes, budget)
    x = _rounded(space, o, x)
    for _ in range(_ROUNDS if space.sums or space.at_most or space.implies else 0):
        _relations(space, o, x, low, high)
    found = original._replace(numeric=x, categorical=codes)
    fine = space.valid(original, found, budget)
    x = np.where(fine[:, None], x, o)
    codes = np.where(fine[:, None], codes, original.categorical)
    done = original._replace(numeric=x, categorical=codes)
    return done, space.count(original, done) > 0


def _groups(space: Space, o: Array, wanted: Array, x: Array, budget: Budget) -> None:
    """Set the wanted member of each group, the largest number asked for, where all members may change."""
    for group in space.switchable if budget.categories else ():
        asked = np.where(np.isnan(wanted[:, group]), -np.inf, wanted[:, group])
        one = np.zeros_like(asked)
        one[np.arange(len(o)), asked.argmax(axis=1)] = 1.0
        gaps = np.isnan(o[:, group]).any(axis=1, keepdims=True)
        x[:, group] = np.where(gaps, o[:, group], one)


def _categories(space: Space, original: Rows, changed: Rows, budget: Budget) -> np.ndarray:
    codes = original.categorical.copy()
    for j, allowed in enumerate(space.allowed):
        if space.switch[j] and budget.categories:
            new = changed.categorical[:, j]
            codes[:, j] = np.where(np.isin(new, allowed), new, codes[:, j])
    return codes


def _rounded(space: Space, o: Array, x: Array) -> Array:
    if not space.whole.any():
        return x
    whole = space.whole & ~np.isnan(o)
    return np.where(whole, o + np.trunc(np.where(whole, x - o, 0.0)), x)


def _few(space: Space, original: Rows, x: Array, codes: np.ndarray, budget: Budget) -> Array:
    """Keep the largest changes only, in scales, where the count of columns is limited; categories come first."""
    if budget.columns is None:
        return x
    spent = (codes != original.categorical).sum(axis=1)
    for group in space.groups:
        spent = spent + (x[:, group] != original.numeric[:, group]).any(axis=1)
    size = np.abs(np.nan_to_num(x - original.numeric)) / space.scale
    size[:, space.grouped] = 0.0
    rank = np.argsort(np.argsort(-size, axis=1, kind="stable"), axis=1)
    kept = (rank < np.maximum(budget.columns - spent, 0)[:, None]) | space.grouped
    return np.where(kept, x, original.numeric)


def _cheap(space: Space, original: Rows, x: Array, codes: np.ndarray, budget: Budget) -> Array:
    """Shorten the changes of numbers alike until they can be paid."""
    if budget.cost is None:
        return x
    gap = np.nan_to_num(x - original.numeric)
    free = ~space.grouped
    price = (np.abs(gap[:, free]) * space.price[free]).sum(axis=1)
    fixed = (np.abs(gap[:, ~free]) * space.price[~free]).sum(axis=1)
    if codes.shape[1]:
        fixed = fixed + (codes != original.categorical) @ space.switch_price
    left = np.maximum(budget.cost - fixed, 0.0)
    share = np.where(price > left, left / np.maximum(price, 1e-300), 1.0)
    shorter = np.where(np.isnan(x), x, original.numeric + gap * share[:, None])
    return np.where(space.grouped, x, shorter)


def _relations(space: Space, o: Array, x: Array, low: Array, high: Array) -> None:
    """Mend sums, orders and implications in place; what cannot be mended goes back to the original."""
    for parts, total in space.sums:
        new = x[:, parts].sum(axis=1)
        with np.errstate(invalid="ignore"):
            fine = (new >= low[:, total]) & (new <= high[:, total]) | np.isnan(new)
            if space.whole[total]:
                fine &= np.isnan(new) | (new == np.rint(new))
        changed = (x[:, parts] != o[:, parts]).any(axis=1) & ~np.isnan(new) & ~np.isnan(o[:, total])
        x[:, total] = np.where(fine & changed, new, o[:, total])
        back = ~fine & changed
        x[np.ix_(back, parts)] = o[np.ix_(back, parts)]
    for a, b in space.at_most:
        with np.errstate(invalid="ignore"):
            over = x[:, a] > x[:, b]
            lower = np.where(over, np.clip(x[:, b], low[:, a], high[:, a]), x[:, a])
            still = over & (lower > x[:, b])
        if space.whole[a]:
            lower = np.where(over & ~still, np.floor(lower), lower)
        x[:, a] = np.where(still, o[:, a], lower)
        x[:, b] = np.where(still, o[:, b], x[:, b])
    for a, b in space.implies:
        with np.errstate(invalid="ignore"):
            broken = (x[:, a] > 0) & (x[:, b] <= 0)
        x[:, a] = np.where(broken, o[:, a], x[:, a])
        x[:, b] = np.where(broken, o[:, b], x[:, b])
