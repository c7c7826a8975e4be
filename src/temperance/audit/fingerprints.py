"""Row fingerprints: 64-bit sums of column hashes, so that leaving one column out is a subtraction."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from temperance.records.digests import digest_columns
from temperance.records.schema import Rows

Hashes = NDArray[np.uint64]
_ONE, _TWO, _THREE = (np.uint64(v) for v in (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB))


def mix(bits: Hashes) -> Hashes:
    """Return SplitMix64 of each value (Steele, Lea and Flood, 2014)."""
    z = bits + _ONE
    z = (z ^ (z >> np.uint64(30))) * _TWO
    z = (z ^ (z >> np.uint64(27))) * _THREE
    out: Hashes = z ^ (z >> np.uint64(31))
    return out


def column_hashes(rows: Rows) -> Iterator[Hashes]:
    """Yield (b,) hashes per column; −0.0 equals 0.0 and every missing value equals every other."""
    for j in range(rows.numeric.shape[1]):
        values = np.array(rows.numeric[:, j], dtype=np.float64)
        values[values == 0.0] = 0.0
        values[np.isnan(values)] = np.nan
        yield _salted(values.view(np.uint64), j)
    for j in range(rows.categorical.shape[1]):
        yield _salted(rows.categorical[:, j].astype(np.int64).view(np.uint64), rows.numeric.shape[1] + j)
    first = rows.numeric.shape[1] + rows.categorical.shape[1]
    for j, digests in enumerate(digest_columns(rows), first):
        yield _salted(digests, j)


def fingerprints(rows: Rows) -> Hashes:
    """Return (b,) hashes of the inputs; equal rows have equal hashes, others almost surely not (2⁻⁶⁴ per pair)."""
    total = np.zeros(rows.size, dtype=np.uint64)
    for part in column_hashes(rows):
        total += part
    if rows.images is not None:
        total += np.array([_digest(image) for image in rows.images], dtype=np.uint64)
    return total


def repeated(hashes: Hashes) -> NDArray[np.int64]:
    """Return (b,) the position of the first row with the same hash."""
    _, first, inverse = np.unique(hashes, return_index=True, return_inverse=True)
    out: NDArray[np.int64] = first[inverse]
    return out


def partner(queries: Hashes, reference: Hashes) -> NDArray[np.int64]:
    """Return (q,) a position in ``reference`` with the same hash, or −1."""
    if not len(reference):
        return np.full(len(queries), -1, dtype=np.int64)
    order = np.argsort(reference, kind="stable")
    place = np.minimum(np.searchsorted(reference[order], queries), len(reference) - 1)
    found = order[place]
    return np.where(reference[found] == queries, found, -1)


def _salted(bits: Hashes, column: int) -> Hashes:
    salt = mix(np.array([column + 1], dtype=np.uint64))
    return mix(bits ^ salt)


def _digest(image: NDArray[np.uint8]) -> int:
    return int.from_bytes(hashlib.blake2b(np.ascontiguousarray(image).tobytes(), digest_size=8).digest(), "little")
