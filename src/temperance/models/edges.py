"""Where the pieces of a piecewise-linear embedding meet."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from temperance.records.errors import SettingError

SAMPLE = 100_000  # rows used at most; quantiles of more are the same


def pieces_for(numeric: int) -> int:
    """Return the pieces per feature for a count of features: 32, fewer for wide tables, where pieces cost most."""
    return max(4, min(32, 2048 // max(1, numeric)))


def bin_edges(numeric: NDArray[Any], *, pieces: int | None = None, seed: int = 0) -> tuple[tuple[float, ...], ...]:
    """Return rising edges per feature for ``ModelInfo.edges``, from preprocessed training rows.

    Half of the edges are quantiles of the rows, so that pieces lie where the data lie; the other half are quantiles of
    the distinct values, so that a long tail (most rows 0, a few large) keeps pieces of its own. Equal edges fall
    together; a constant feature gets the two edges x and x + 1, a feature of two values these two.

    Args:
        numeric: (b, n) training rows, finite.
        pieces: pieces per feature at most; by default what the default net takes (``pieces_for``).
        seed: seed of the sample that is taken of more than 100,000 rows.

    Reference: Gorishniy et al. (2022), arXiv 2203.05556, section 3.2.1, for edges at quantiles.

    Raises:
        SettingError: rows that are not finite numbers (b, n), or fewer than two pieces.

    """
    values = np.asarray(numeric, dtype=np.float64)
    if values.ndim != 2 or not len(values) or not np.isfinite(values).all():
        raise SettingError(
            f"an array of shape {values.shape} for edges",
            "finite numbers (b, n) with at least one row",
            "Give the preprocessed training rows",
        )
    count = pieces_for(values.shape[1]) if pieces is None else pieces
    if count < 2:
        raise SettingError(f"pieces={count}", "at least 2", "Leave it at its default")
    if len(values) > SAMPLE:
        values = values[np.random.default_rng(seed).choice(len(values), SAMPLE, replace=False)]
    return tuple(_edges(column, count) for column in values.T)


def _edges(column: NDArray[np.float64], pieces: int) -> tuple[float, ...]:
    distinct = np.unique(column)
    if len(distinct) == 2 and distinct[1].astype(np.float32) > distinct[0].astype(np.float32):
        return float(distinct[0].astype(np.float32)), float(distinct[1].astype(np.float32))
    rows = pieces // 2
    by_row = np.quantile(column, np.linspace(0, 1, rows + 1))
    by_value = np.quantile(distinct, np.linspace(0, 1, pieces - rows + 1))
    edges = np.unique(np.concatenate([by_row, by_value]).astype(np.float32))
    if len(edges) < 2:
        return float(edges[0]), float(edges[0]) + 1.0
    return tuple(float(e) for e in edges)


def standard_edges(numeric: int, *, pieces: int, reach: float = 3.0) -> tuple[tuple[float, ...], ...]:
    """Return the same even edges for every feature, −``reach`` … ``reach``: used where no data are at hand."""
    even = tuple(float(e) for e in np.linspace(-reach, reach, pieces + 1))
    return (even,) * numeric
