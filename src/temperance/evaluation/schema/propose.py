"""Rules proposed from data: what always held in the rows is a rule until somebody says otherwise."""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import NDArray

from temperance.evaluation.base import Array
from temperance.evaluation.schema.rules import ColumnRule, Rules, Sum
from temperance.records.schema import Column
from temperance.records.table import Table

LEAST = 50  # rows that a relation must rest on
_WIDEST = 40  # numeric columns above which relations are not looked for: their number grows with the square
_SHARE = 0.1  # of rows in which a relation must not be trivial
_TOLERANCE = 1e-6
_FIRST = 256  # rows that most relations break in already: all rows are looked at for the others alone


def propose(table: Table, index: NDArray[np.int64] | None = None) -> Rules:
    """Return rules that every row keeps: bounds, whole numbers, groups of 0 and 1, a ≤ b, a + b = t.

    What cannot be seen in data is left to the owner: which columns nobody can change, and what a change costs. Parts of
    dates are fixed: changed one by one they are no date. Relations are looked for in up to 40 numeric columns.
    Shapes: index (n,).

    Args:
        table: where the rows are.
        index: rows to look at (training rows), all by default.

    """
    rows = table.rows if index is None else table.rows.take(index)
    x = np.asarray(rows.numeric, dtype=np.float64)
    numeric = table.schema.numeric
    columns: dict[str, ColumnRule] = {c.name: _number(c, x[:, j]) for j, c in enumerate(numeric)}
    for j, column in enumerate(table.schema.categorical):
        seen = np.unique(rows.categorical[:, j])
        words = tuple(column.vocabulary[code] for code in seen if code >= 0)
        columns[column.name] = ColumnRule(values=() if len(words) == len(column.vocabulary) else words)
    names = [c.name for c in numeric]
    groups = _groups(x, names)
    grouped = {name for group in groups for name in group}
    kept = [j for j, c in enumerate(numeric) if not c.part and c.name not in grouped and _varies(x[:, j])]
    sums: tuple[Sum, ...] = ()
    orders: tuple[tuple[str, str], ...] = ()
    if len(kept) <= _WIDEST:
        sums = _sums(x, names, kept)
        orders = _orders(x, names, kept, sums)
    return Rules(columns, at_most=orders, sums=sums, one_of=groups)


def robust_scale(values: Array) -> float:
    """Return the quartile range over 1.349 (a standard deviation, of normal values), or the standard deviation, or 1.

    Shapes: (n,).
    """
    finite = values[np.isfinite(values)]
    if not len(finite):
        return 1.0
    low, high = np.quantile(finite, (0.25, 0.75))
    scale = (high - low) / 1.349 or float(finite.std())
    return float(scale) if scale > 0 and np.isfinite(scale) else 1.0


def _number(column: Column, values: Array) -> ColumnRule:
    finite = values[np.isfinite(values)]
    if not len(finite):
        return ColumnRule(change="fixed")
    whole = bool((finite == np.rint(finite)).all())
    still = bool(column.part) or not _varies(values)
    low, high = float(finite.min()), float(finite.max())
    return ColumnRule(low, high, "fixed" if still else "free", whole, robust_scale(values))


def _varies(values: Array) -> bool:
    finite = values[np.isfinite(values)]
    return bool(len(finite)) and float(finite.min()) < float(finite.max())


def _groups(x: Array, names: list[str]) -> tuple[tuple[str, ...], ...]:
    """Return runs of neighbouring columns of 0 and 1 in which exactly one is 1, in every row; each at least once."""
    binary = [bool(np.isin(x[:, j], (0.0, 1.0)).all()) and _varies(x[:, j]) for j in range(x.shape[1])]
    found, start = [], 0
    while start < len(names) and len(x) >= LEAST:
        end = start
        total = np.zeros(len(x))
        while end < len(names) and binary[end]:
            total += x[:, end]
            end += 1
            if end - start >= 3 and (total == 1).all():
                found.append(tuple(names[start:end]))
                break
            if (total > 1).any():
                break
        start = end if found and found[-1][0] == names[start] else start + 1
    return tuple(found)


def _sums(x: Array, names: list[str], kept: list[int]) -> tuple[Sum, ...]:
    found: list[Sum] = []
    used: set[int] = set()
    x = np.where(np.isfinite(x), x, np.nan)  # which breaks nothing
    room = _TOLERANCE * np.maximum(1.0, np.abs(x))
    for a, b in itertools.combinations(kept, 2):
        pair, first = x[:, a] + x[:, b], x[:_FIRST, a] + x[:_FIRST, b]
        for total in kept:
            if total in (a, b) or used & {a, b, total}:
                continue
            if (np.abs(first - x[:_FIRST, total]) > room[:_FIRST, total]).any():
                continue
            gap = np.abs(pair - x[:, total])
            known = np.isfinite(gap)
            if known.sum() < LEAST or (gap[known] > room[known, total]).any():
                continue
            if (x[known][:, (a, b)] != 0).all(axis=1).mean() >= _SHARE:
                found.append(Sum((names[a], names[b]), names[total]))
                used |= {a, b, total}
    return tuple(found)


def _orders(x: Array, names: list[str], kept: list[int], sums: tuple[Sum, ...]) -> tuple[tuple[str, str], ...]:
    """Return pairs a ≤ b whose ranges overlap, so that the order says more than the bounds do."""
    x = np.where(np.isfinite(x), x, np.nan)
    implied = {(part, one.total) for one in sums for part in one.parts}
    found = []
    for a, b in itertools.permutations(kept, 2):
        if (x[:_FIRST, a] > x[:_FIRST, b]).any():
            continue
        known = np.isfinite(x[:, a]) & np.isfinite(x[:, b])
        if known.sum() < LEAST or (names[a], names[b]) in implied:
            continue
        first, second = x[known, a], x[known, b]
        if not (first <= second).all() or (first == second).all():
            continue
        overlap = (first > np.quantile(second, 0.1)).mean()
        if overlap >= 0.25 and np.corrcoef(first, second)[0, 1] > 0.3:
            found.append((names[a], names[b]))
    return tuple(found)
