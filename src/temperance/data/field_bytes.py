"""Find by bytes, many at once, which fields of a piece of a text file begin as no plain number does."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
Marks = NDArray[np.bool_]
END, RETURN, TAB, BLANK, ZERO, MINUS = 10, 13, 9, 32, 48, 45


class Fields:
    """Whole lines of a text file, each with the same count of fields and no quotes.

    Args:
        chunk: the lines; it ends with a line break.
        separator: the byte between fields.
        width: fields of a line.

    """

    def __init__(self, chunk: bytes, separator: int, width: int) -> None:
        self._chunk, self._width = chunk, width
        self._letters: Bytes = np.frombuffer(b"\n" + chunk, dtype=np.uint8)  # a break before the first field too
        self._ends: Marks = (self._letters == separator) | (self._letters == END)

    def suspects(self, names: Sequence[str]) -> set[str]:
        """Return the columns of which a field begins with a blank, is a whole number that begins with 0, or is −0."""
        letters, ends = self._letters, self._ends
        after = letters[1:]
        blanks = np.flatnonzero(ends[:-1] & ((after == BLANK) | (after == TAB)))
        zeros = np.flatnonzero(ends[:-2] & (letters[1:-1] == ZERO) & _digits(letters[2:]))
        minus = np.flatnonzero(ends[:-2] & (letters[1:-1] == MINUS) & (letters[2:] == ZERO))
        found = np.concatenate([blanks, zeros[self._all_digits(zeros + 2)], minus[self._all_digits(minus + 3)]])
        if not len(found):
            return set()
        places = np.searchsorted(np.flatnonzero(ends), found, side="left") % self._width
        return {names[place] for place in np.unique(places)}

    def count(self, letter: int) -> int:
        """Count a byte."""
        return int(np.count_nonzero(self._letters == letter))

    def lines(self, start: int, step: int) -> bytes:
        """Return every so many lines, from the one numbered ``start`` on."""
        breaks = self._breaks
        which = np.arange(start, len(breaks) - 1, step)
        return b"".join(self._chunk[begin:end] for begin, end in zip(breaks[which], breaks[which + 1], strict=True))

    @cached_property
    def _breaks(self) -> NDArray[np.int64]:
        """Places at which lines begin, and the end."""
        return np.flatnonzero(self._letters == END)

    def _all_digits(self, places: NDArray[np.int64]) -> Marks:
        """Tell for fields (n,) whether from ``places`` on there are digits alone up to their end."""
        sure = np.zeros(len(places), dtype=bool)
        left = np.arange(len(places))
        while len(left):
            letters = self._letters[places[left]]
            done = self._ends[places[left]] | (letters == RETURN)
            sure[left[done]] = True
            left = left[~done & _digits(letters)]
            places = places.copy()
            places[left] += 1
        return sure


def _digits(letters: Bytes) -> Marks:
    return (letters - np.uint8(ZERO)) < 10
