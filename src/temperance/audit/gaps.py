"""Near and edited copies by gaps in the distances, judged against what the data's own density predicts.

Around a row of a density in d dimensions the distances r₁ ≤ r₂ ≤ … to its nearest rows have ratios with
P(rⱼ/rⱼ₊₁ < t) = t^(j·d) (Facco et al. 2017, doi:10.1038/s41598-017-11873-y, for j = 1), whatever the density there is.
A near copy leaves a gap: it lies far closer than the next row. So of the rows with a gap below 3t a density leaves the
share 3^(−d) below t, and copies nearly all: that needs no rows that are known to be clean. The distance is Euclidean
for copies with noise, and the count of differing columns for copies in which few values were changed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from temperance.audit.features import Matrix
from temperance.audit.fingerprints import column_hashes
from temperance.records.schema import Rows

Floats = NDArray[np.float64]
Index = NDArray[np.int64]
LIMITS = (0.2, 0.15, 0.1, 0.07, 0.05)  # gaps that are tried, the widest first
EDIT_LIMITS = (0.26, 0.21, 0.15, 0.1)  # the same of counts of columns: 1 against 4, 1 against 5, …
RING = 3.0  # a density leaves more rows between t and RING · t than below t
CHANCE = 0.004  # of a limit that copies are seen where there are none
MOST = 0.6  # share below the limit among those below RING · limit, at least
COPIES = 10  # copies of one row that leave a gap
WIDEST = 100  # columns that are compared one by one
_SAME = 1e-6  # distances below are those of equal rows
_LOW, _HIGH = 1.0, 6.0  # dimensions that are believed


@dataclass(frozen=True, eq=False)
class Gaps:
    """Per query: its smallest ratio of neighbouring distances, and the nearest row that is not equal to it.

    Shapes:
        ratio: (q,), 1 where there is none; partner: (q,); equal: (q,) True where a row at distance 0 was met.
    """

    ratio: Floats
    partner: NDArray[np.int64]
    equal: NDArray[np.bool_]


def gaps(queries: Matrix, reference: Matrix, *, own: Index | None = None, chunk: int = 512) -> Gaps:
    """Return the gaps of each query in Euclidean distance.

    Args:
        queries: (q, f) points.
        reference: (n, f) points.
        own: (q,) position of each query in ``reference``, which is then no neighbour of itself; None: it is not there.
        chunk: queries at once.

    """
    lengths = (reference * reference).sum(axis=1)

    def far(part: slice) -> NDArray[Any]:
        return np.asarray(lengths - 2.0 * (queries[part] @ reference.T))

    def exactly(part: slice, near: Index) -> Floats:  # the expanded form above loses small distances
        apart = queries[part][:, None].astype(np.float64) - reference[near]
        return np.asarray(np.sqrt((apart * apart).sum(axis=2)))

    return _gaps(far, exactly, (len(queries), len(reference)), own, chunk)


def edits(queries: Rows, reference: Rows, *, own: Index | None = None, chunk: int = 256) -> Gaps:
    """Return the gaps of each query in the count of columns whose values differ.

    Above 100 columns every so many are left out, so that 100 stay.

    Args:
        queries: rows.
        reference: rows of the same columns.
        own: as for ``gaps``.
        chunk: queries at once.

    """
    both = list(zip(column_hashes(queries), column_hashes(reference), strict=True))
    kept = both[:: max(1, -(-len(both) // WIDEST))]
    rows = queries.size, reference.size

    def far(part: slice) -> NDArray[Any]:
        count = np.zeros((len(range(*part.indices(rows[0]))), rows[1]), dtype=np.float32)
        for mine, theirs in kept:
            count += mine[part, None] != theirs
        return count

    def exactly(part: slice, near: Index) -> Floats:
        parts = [mine[part, None] != theirs[near] for mine, theirs in kept]
        return np.asarray(np.sum(parts, axis=0), dtype=np.float64)

    return _gaps(far, exactly, rows, own, chunk)


def _gaps(
    far: Callable[[slice], NDArray[Any]], exactly: Callable[[slice, Index], Floats], size: tuple[int, int],
    own: Index | None, chunk: int,
) -> Gaps:  # fmt: skip
    """Return the gaps by a quick order of distances (q, n) and the exact ones of the nearest."""
    count, k = size[0], min(COPIES + 3, size[1] - (own is not None))
    ratio, partner, equal = np.ones(count), np.zeros(count, dtype=np.int64), np.zeros(count, dtype=bool)
    for start in range(0, count if k > 0 else 0, chunk):
        part = slice(start, min(start + chunk, count))
        order = far(part)
        if own is not None:
            order[np.arange(len(order)), own[part]] = np.inf
        near = np.argpartition(order, k - 1, axis=1)[:, :k]
        distance = exactly(part, near)
        equal[part] = (distance < _SAME).any(axis=1)
        distance[distance < _SAME] = np.inf  # an equal row is an exact copy, which another rule finds
        sorted_ = np.argsort(distance, axis=1, kind="stable")
        partner[part] = np.take_along_axis(near, sorted_, axis=1)[:, 0]
        ratio[part] = _smallest(np.take_along_axis(distance, sorted_, axis=1))
    return Gaps(ratio, partner, equal)


def _smallest(distance: Floats) -> Floats:
    """Return (q,) the smallest of rⱼ/rⱼ₊₁, j ≤ ``COPIES``, among distances in order; infinite ones are none."""
    known = np.isfinite(distance[:, 1:])
    with np.errstate(invalid="ignore"):
        steps = np.where(known, distance[:, :-1] / np.where(known, distance[:, 1:], 1.0), 1.0)
    return np.asarray(steps[:, :COPIES].min(axis=1, initial=1.0))


def dimension(ratio: Floats) -> float:
    """Return the dimension whose density has the median of the ratios above ½; those of copies lie below.

    Shapes: (q,). A value from 1 to 6: a higher one would make single rows certain.
    """
    above = ratio[(ratio > 0.5) & (ratio < 1.0)]
    if len(above) < 20:
        return _LOW
    middle = float(np.median(above))
    low, high = _LOW, _HIGH
    for _ in range(30):
        d = (low + high) / 2
        expected = (1.0 + chance_below(0.5, d)) / 2
        low, high = (low, d) if chance_below(middle, d) < expected else (d, high)
    return (low + high) / 2


def chance_below(t: float, d: float) -> float:
    """Return P(smallest of the ratios < t) = 1 − Π_j (1 − t^(j·d)) in a density of ``d`` dimensions."""
    return float(1.0 - np.prod(1.0 - t ** (d * np.arange(1, COPIES + 1))))


def limit_of(ratio: Floats, limits: tuple[float, ...] = LIMITS) -> float:
    """Return the widest limit below which the rows are copies and not the data's density, or 0.

    The rows below 3t are counted; those below t must be more than ``chance_below(t) / chance_below(3t)`` explains
    (binomial, level 0.004), and at least 6 of 10.

    Args:
        ratio: (q,) gaps.
        limits: those that are tried, the widest first.

    """
    from scipy.stats import binom

    d = dimension(ratio)
    for limit in limits:
        close, ring = int((ratio < limit).sum()), int((ratio < RING * limit).sum())
        share = chance_below(limit, d) / chance_below(RING * limit, d)
        if close and close >= MOST * ring and binom.sf(close - 1, ring, share) <= CHANCE:
            return limit
    return 0.0
