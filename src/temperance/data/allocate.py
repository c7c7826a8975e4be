"""Take rows out in fair shares: strata evenly, units (groups, exact copies) whole."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Index = NDArray[np.int64]
MOST_GREEDY = 20_000  # above this many groups they are drawn like rows, by their most frequent stratum


class Units:
    """What must stay together: ``of_row`` (b,) is a number 0 … total − 1 per row."""

    def __init__(self, of_row: NDArray[np.int64]) -> None:
        self.of_row = np.asarray(of_row, dtype=np.int64).reshape(-1)
        self.total = int(self.of_row.max()) + 1
        self.single = self.total == len(self.of_row)

    def count(self, index: Index) -> int:
        """Return how many units ``index`` touches."""
        return len(index) if self.single else len(np.unique(self.of_row[index]))

    def sizes(self, index: Index, heads: Index) -> NDArray[np.int64]:
        """Return how many rows of ``index`` the unit of each of ``heads`` has."""
        if self.single:
            return np.ones(len(heads), dtype=np.int64)
        counts = np.bincount(self.of_row[index], minlength=self.total)
        return np.asarray(counts[self.of_row[heads]], dtype=np.int64)

    def heads(self, index: Index) -> Index:
        """Return the first row of each unit in ``index``."""
        if self.single:
            return index
        return index[np.unique(self.of_row[index], return_index=True)[1]]

    def expand(self, index: Index, heads: Index) -> Index:
        """Return all rows of ``index`` whose unit is that of one of ``heads``, sorted."""
        if self.single:
            return np.sort(heads)
        chosen = np.zeros(self.total, dtype=bool)
        chosen[self.of_row[heads]] = True
        return np.sort(index[chosen[self.of_row[index]]])


def carve(index: Index, units: Units, strata: NDArray[np.int64], share: float, rng: np.random.Generator) -> Index:
    """Return ``share`` of ``index``, each stratum in proportion; every stratum keeps at least one row.

    Args:
        index: rows to draw from.
        units: units that stay whole.
        strata: (all rows,) stratum per row.
        share: between 0 and 1.
        rng: source of chance.

    """
    heads = units.heads(index)
    shuffled = heads[rng.permutation(len(heads))]
    ordered = shuffled[np.argsort(strata[shuffled], kind="stable")]
    weights = units.sizes(index, ordered)
    _, starts, lengths = np.unique(strata[ordered], return_index=True, return_counts=True)
    quota = quotas(np.add.reduceat(weights, starts), round(share * len(index)), rng)
    chosen = [
        ordered[start : start + length][_fill(weights[start : start + length], int(want))]
        for start, length, want in zip(starts, lengths, quota, strict=True)
    ]
    return units.expand(index, np.concatenate(chosen))


def _fill(weights: NDArray[np.int64], wanted: int) -> NDArray[np.bool_]:
    """Choose the first units that together weigh ``wanted``; one that is too heavy ends the run, light ones fill up.

    At least one unit is left out.
    """
    taken: NDArray[np.bool_] = np.cumsum(weights) <= wanted
    left = wanted - int(weights[taken].sum())
    if left:
        taken[np.flatnonzero(~taken & (weights == 1))[:left]] = True
    if taken.all():
        taken[-1] = False
    return taken


def quotas(sizes: NDArray[np.int64], wanted: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Share ``wanted`` out in proportion to ``sizes`` by largest remainder; each size keeps at least one.

    Shapes: sizes (s,) per stratum → (s,).
    """
    exact = wanted * sizes / max(int(sizes.sum()), 1)
    quota = np.minimum(np.floor(exact).astype(np.int64), sizes - 1)
    order = np.lexsort((rng.random(len(sizes)), -(exact - np.floor(exact))))
    left = wanted - int(quota.sum())
    while left > 0 and (quota < sizes - 1).any():
        for stratum in order:
            if left and quota[stratum] < sizes[stratum] - 1:
                quota[stratum] += 1
                left -= 1
    return quota


def carve_groups(
    index: Index, units: Units, strata: NDArray[np.int64], share: float, rng: np.random.Generator
) -> Index:
    """Return whole groups with about ``share`` of the rows of each stratum; at least one group, never all.

    Shapes: index (n,) → a part of it; strata (b,) of all rows.
    """
    groups, inverse = np.unique(units.of_row[index], return_inverse=True)
    if len(groups) > MOST_GREEDY:
        return carve(index, units, strata, share, rng)
    table = _counts(inverse, strata[index], len(groups))
    wanted = share * table.sum(axis=0)
    taken = np.zeros(table.shape[1])
    chosen = np.zeros(len(groups), dtype=bool)
    for group in _large_first(table, rng):
        better = _misfit(taken + table[group], wanted) < _misfit(taken, wanted)
        if better and chosen.sum() < len(groups) - 1:
            chosen[group] = True
            taken += table[group]
    if not chosen.any():
        chosen[int(np.argmin(table.sum(axis=1)))] = True
    return np.sort(index[chosen[inverse]])


def deal(
    index: Index, units: Units, strata: NDArray[np.int64], count: int, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Return the fold 0 … count − 1 of each row of ``index``, strata evenly over the folds.

    Shapes: index (n,) → (n,); strata (b,) of all rows.
    """
    groups, inverse = np.unique(units.of_row[index], return_inverse=True)
    if units.single or len(groups) > MOST_GREEDY or len(groups) > len(index) // 2:
        heads = units.heads(index)
        shuffled = heads[rng.permutation(len(heads))]
        ordered = shuffled[np.argsort(strata[shuffled], kind="stable")]
        fold_of_unit = np.zeros(units.total, dtype=np.int64)
        fold_of_unit[units.of_row[ordered]] = np.arange(len(ordered)) % count
        return np.asarray(fold_of_unit[units.of_row[index]], dtype=np.int64)
    table = _counts(inverse, strata[index], len(groups))
    wanted = table.sum(axis=0) / count
    sums = np.zeros((count, table.shape[1]))
    fold = np.zeros(len(groups), dtype=np.int64)
    for group in _large_first(table, rng):
        gain = [_misfit(sums[f] + table[group], wanted) - _misfit(sums[f], wanted) for f in range(count)]
        fold[group] = int(np.argmin(gain))
        sums[fold[group]] += table[group]
    return np.asarray(np.unique(fold, return_inverse=True)[1][inverse], dtype=np.int64)


def _counts(group: NDArray[np.int64], strata: NDArray[np.int64], groups: int) -> NDArray[np.float64]:
    """Return rows by group and stratum, and last the rows of the group: (groups, strata + 1)."""
    kinds, code = np.unique(strata, return_inverse=True)
    table = np.zeros((groups, len(kinds) + 1))
    np.add.at(table, (group, code), 1.0)
    table[:, -1] = table[:, :-1].sum(axis=1)
    return table


def _large_first(table: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.int64]:
    return np.lexsort((rng.random(len(table)), -table[:, -1]))


def _misfit(taken: NDArray[np.float64], wanted: NDArray[np.float64]) -> float:
    return float((((taken - wanted) ** 2) / np.maximum(wanted, 1.0)).sum())
