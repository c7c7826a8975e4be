"""Bets against uniform p-values, as tables.

A bet is a function f ≥ 0 on [0, 1] with ∫f = 1: its expected pay-out is 1 while p-values are uniform, and above 1 once
they lean the way that was bet on. Each bet is a table over equal cells of [0, 1] with mean exactly 1, so it pays out
fairly whatever its shape.
"""

from __future__ import annotations

from functools import cache
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

CELLS = 1024  # cells of a fixed bet
COARSE = 16  # cells of a bet that learns
SHIFTS = (-1.2, -0.6, -0.25, 0.25, 0.6, 1.2)  # in standard deviations of the normal score
SCALES = (0.6, 1.6)  # ratio of standard deviations
FORGET = (1 / 128, 1 / 1024)  # forgetting per row of the learning bets
LEARNED_SHARE = 0.7  # part of the capital a learning bet stakes
PRIOR = 4.0  # rows' worth of "uniform" in each cell of a learning bet


@cache
def normal_scores() -> NDArray[np.float64]:
    """Return z = Φ⁻¹(p) at the middle of each of the ``CELLS`` cells, shape (CELLS,)."""
    normal = NormalDist()
    return np.array([normal.inv_cdf((i + 0.5) / CELLS) for i in range(CELLS)])


@cache
def fixed_bets(tolerance: float = 0.0) -> NDArray[np.float64]:
    """Return the fixed bets (CELLS, j): normal shifts f = exp(μz − μ²/2) and changes of scale σ.

    Args:
        tolerance: shift, in standard deviations of the normal score, that is not worth an alarm. Each bet is divided by
            its largest expected pay-out over all shifts up to ``tolerance``, so it stays fair for those too.

    """
    z = normal_scores()[:, None]
    shift = np.array(SHIFTS)[None, :]
    scale = np.array(SCALES)[None, :]
    tables = np.concatenate(
        [np.exp(shift * z - shift**2 / 2), np.exp(-(z**2) / 2 * (1 / scale**2 - 1)) / scale], axis=1
    )
    tables /= tables.mean(axis=0)
    if tolerance > 0:
        tables /= np.maximum(1.0, (tolerated(tolerance) @ tables).max(axis=0))
    return np.ascontiguousarray(tables)


@cache
def tolerated(tolerance: float, *, cells: int = CELLS) -> NDArray[np.float64]:
    """Return, for a grid of shifts within ±``tolerance``, the probability of each cell: (grid, cells)."""
    z = normal_scores()[None, :]
    grid = np.linspace(-tolerance, tolerance, 9)[:, None]
    weight = np.exp(grid * z - grid**2 / 2)
    weight /= weight.sum(axis=1, keepdims=True)
    mass: NDArray[np.float64] = weight.reshape(len(grid), cells, CELLS // cells).sum(axis=2)
    return mass


def learned_bets(recent: NDArray[np.float64], tolerance: float = 0.0) -> NDArray[np.float64]:
    """Return bets (c, COARSE, j) that follow the recent p-values.

    Formula: f = (1 − λ) + λ · COARSE · (recent + a) / Σ(recent + a), λ = ``LEARNED_SHARE``, a = ``PRIOR``.
    They use past rows only, so they stay fair.

    Args:
        recent: forgetting counts of p-values per cell (c, COARSE, j).
        tolerance: as in ``fixed_bets``.

    """
    share = recent + PRIOR
    bets: NDArray[np.float64] = (1 - LEARNED_SHARE) + LEARNED_SHARE * COARSE * share / share.sum(axis=1, keepdims=True)
    if tolerance > 0:
        mass = tolerated(tolerance, cells=COARSE)
        worst = np.einsum("gk,ckj->cgj", mass, bets).max(axis=1)
        bets /= np.maximum(1.0, worst)[:, None, :]
    return bets
