"""Texts that are nearly alike: sets of letter groups, compared through their smallest hashes."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from temperance.audit.fingerprints import Hashes, mix

Ints = NDArray[np.int64]
LETTERS = 5  # length of a group of letters
LONGEST = 4000  # letters of a text that are compared
BANDS, ROWS = 32, 4  # P(candidate) = 1 − (1 − s⁴)³²: 0.87 at a likeness s of 0.5, above 1 − 1e-7 at 0.8
MOST = 20  # candidates of one text in one band: boilerplate is in many


def shingles(text: str) -> Hashes:
    """Return sorted hashes of the groups of five letters of a text, without case, marks and repeated blanks.

    Shapes: (s,), at least one.
    """
    plain = re.sub(r"[\W_]+", " ", text.lower()).strip()[:LONGEST].encode()
    letters = np.frombuffer(plain.ljust(LETTERS), dtype=np.uint8).astype(np.uint64)
    count = len(letters) - LETTERS + 1
    packed = np.zeros(count, dtype=np.uint64)
    for i in range(LETTERS):
        packed |= letters[i : i + count] << np.uint64(8 * i)
    return np.unique(mix(packed))


def signature(found: Hashes) -> Hashes:
    """Return the smallest hash under each of 128 hash functions (Broder, 1997).

    Shapes: (s,) → (128,).
    """
    factors = mix(np.arange(1, BANDS * ROWS + 1, dtype=np.uint64)) | np.uint64(1)
    out: Hashes = mix(found[:, None] * factors).min(axis=0)
    return out


def likeness(first: Hashes, second: Hashes) -> float:
    """Return the Jaccard index of two sets of hashes: shared / all.

    Shapes: sorted, (s,) and (t,).
    """
    shared = len(np.intersect1d(first, second, assume_unique=True))
    return shared / (len(first) + len(second) - shared)


@dataclass(frozen=True, eq=False)
class Library:
    """Texts that others are compared with.

    Attributes:
        sets: hashes of the letter groups of each text.
        keys: (b, 32) one key per band.
        order: (b, 32) texts sorted by key, band by band.

    """

    sets: list[Hashes]
    keys: Hashes
    order: Ints

    @classmethod
    def of(cls, texts: list[str]) -> Library:
        """Take in texts."""
        sets = [shingles(text) for text in texts]
        keys = banded(sets)
        return cls(sets, keys, np.argsort(keys, axis=0, kind="stable"))

    def nearest(self, texts: list[str], *, apart: Ints | None = None) -> tuple[NDArray[np.float64], Ints]:
        """Return the likeness of each text to the most alike candidate, and its place (−1: none).

        Args:
            texts: (q,) texts to look up.
            apart: (q,) the place of each text in the library, which is no candidate for itself; None: not in it.

        """
        sets = [shingles(text) for text in texts]
        keys = banded(sets)
        best, place = np.zeros(len(texts)), np.full(len(texts), -1, dtype=np.int64)
        for q in range(len(texts)):
            for other in self._candidates(keys[q], -1 if apart is None else int(apart[q])):
                value = likeness(sets[q], self.sets[other])
                if value > best[q]:
                    best[q], place[q] = value, other
        return best, place

    def _candidates(self, key: Hashes, itself: int) -> list[int]:
        found: set[int] = set()
        for band in range(BANDS):
            order = self.order[:, band]
            start, stop = (
                int(np.searchsorted(self.keys[:, band], key[band], side=side, sorter=order))
                for side in ("left", "right")  # type: ignore[call-overload]
            )
            found.update(int(i) for i in order[start : min(stop, start + MOST)])
        found.discard(itself)
        return sorted(found)


def banded(sets: list[Hashes]) -> Hashes:
    """Return (b, 32) keys; two texts with one key in one band are worth comparing."""
    if not sets:
        return np.empty((0, BANDS), dtype=np.uint64)
    signatures = np.stack([signature(found) for found in sets]).reshape(len(sets), BANDS, ROWS)
    keys = np.zeros((len(sets), BANDS), dtype=np.uint64)
    for i in range(ROWS):
        keys = mix(keys ^ signatures[:, :, i])
    return keys
