"""Texts to counts of hashed pieces: words, pairs of words, and runs of letters within words. NumPy alone."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import NamedTuple
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

LONGEST = 1_000_000  # signs of a text that are read
SHORTEST_RUN, LONGEST_RUN = 2, 5  # letters of a run
_WORD = re.compile(r"\w+|[^\w\s]")
_SPACE = 32
_PRIME = np.uint64(0x100000001B3)


class Counts(NamedTuple):
    """Which pieces the texts hold.

    Shapes: text (e,) int64, rising · piece (e,) uint32, rising within a text · times (e,) float32, how often.
    """

    text: NDArray[np.int64]
    piece: NDArray[np.uint32]
    times: NDArray[np.float32]


def normal(text: str | None) -> str:
    """Return a text in one Unicode form (NFKC), in lower case, with one blank between words; None is empty."""
    if not text:
        return ""
    return " ".join(unicodedata.normalize("NFKC", text[:LONGEST]).lower().split())


def words(texts: Sequence[str]) -> Counts:
    """Count words, single signs, and pairs of them that stand side by side.

    Args:
        texts: from ``normal``.

    Shapes: see ``Counts``.

    """
    found = [[crc32(word.encode("utf-8", "surrogatepass")) for word in _WORD.findall(text)] for text in texts]
    lengths = np.array([len(one) for one in found], dtype=np.int64)
    place = np.repeat(np.arange(len(texts), dtype=np.int64), lengths)
    single = np.array([code for one in found for code in one], dtype=np.uint64)
    beside = place[1:] == place[:-1]
    pairs = _mixed(single[:-1] * _PRIME + single[1:] + np.uint64(1))[beside]
    return _counted(np.concatenate([place, place[1:][beside]]), np.concatenate([_mixed(single), pairs]))


def runs(texts: Sequence[str]) -> Counts:
    """Count runs of 2 to 5 signs within words; a blank stands for the beginning and the end of a word.

    Args:
        texts: from ``normal``.

    Shapes: see ``Counts``.

    """
    padded = [f" {text} " for text in texts]
    signs = np.frombuffer("".join(padded).encode("utf-32-le", "surrogatepass"), dtype=np.uint32).astype(np.uint64)
    place = np.repeat(np.arange(len(texts), dtype=np.int64), [len(text) for text in padded])
    blank = signs == _SPACE
    code, inner = signs, np.ones(len(signs), dtype=bool)  # inner: no blank between the first sign and the last
    places, codes = [], []
    for length in range(2, LONGEST_RUN + 1):
        inner = inner[:-1] & (~blank[length - 2 : -1] if length > 2 else True)
        code = code[:-1] * _PRIME + signs[length - 1 :]
        kept = inner & (place[: len(code)] == place[length - 1 :])
        if length == 2:
            kept &= ~(blank[:-1] & blank[1:])
        places.append(place[: len(code)][kept])
        codes.append(_mixed(code[kept] + np.uint64(length)))
    return _counted(np.concatenate(places), np.concatenate(codes))


def _mixed(code: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return 32 well-mixed bits (the finalizer of MurmurHash3, Appleby 2011)."""
    code = (code ^ (code >> np.uint64(33))) * np.uint64(0xFF51AFD7ED558CCD)
    code = (code ^ (code >> np.uint64(33))) * np.uint64(0xC4CEB9FE1A85EC53)
    return (code ^ (code >> np.uint64(33))) & np.uint64(0xFFFFFFFF)


def _counted(place: NDArray[np.int64], piece: NDArray[np.uint64]) -> Counts:
    keys, count = np.unique((place.astype(np.uint64) << np.uint64(32)) | piece, return_counts=True)
    return Counts((keys >> np.uint64(32)).astype(np.int64), keys.astype(np.uint32), count.astype(np.float32))
