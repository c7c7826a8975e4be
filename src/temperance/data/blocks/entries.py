"""A sparse matrix, row by row, and its product: NumPy alone, so that the server needs no SciPy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

TERMS = 2**22  # products that are held at once


class Entries(NamedTuple):
    """A sparse matrix. Shapes: start (b + 1,) int64 · column (e,) int64, rising in a row · value (e,) float32."""

    start: NDArray[np.int64]
    column: NDArray[np.int64]
    value: NDArray[np.float32]

    @classmethod
    def stack(cls, parts: Sequence[Entries]) -> Self:
        """Return the rows of all parts, one after the other."""
        ends = np.cumsum([0, *(len(part.column) for part in parts)])
        starts = [part.start[1:] + end for part, end in zip(parts, ends, strict=False)]
        column, value = (np.concatenate([part[i] for part in parts]) for i in (1, 2))
        return cls(np.concatenate([np.zeros(1, np.int64), *starts]), column, value)

    def times(self, weights: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the product (b, d) with ``weights`` (k, d); a row's does not depend on the other rows."""
        rows = len(self.start) - 1
        out = np.zeros((rows, weights.shape[1]), dtype=np.float32)
        step, first = max(1, TERMS // max(1, weights.shape[1])), 0
        while first < rows:  # whole rows at a time, at least one
            last = max(first + 1, int(np.searchsorted(self.start, self.start[first] + step, side="right")) - 1)
            part = slice(self.start[first], self.start[last])
            filled = first + np.flatnonzero(np.diff(self.start[first : last + 1]))
            if len(filled):
                terms = weights[self.column[part]] * self.value[part, None]
                out[filled] = np.add.reduceat(terms, self.start[filled] - self.start[first], axis=0)
            first = last
        return out

    def only(self, chosen: NDArray[np.int64]) -> Entries:
        """Return the matrix of chosen columns (q,), rising."""
        if not len(chosen):
            return Entries(np.zeros_like(self.start), self.column[:0], self.value[:0])
        place = np.minimum(np.searchsorted(chosen, self.column), len(chosen) - 1)
        kept = chosen[place] == self.column
        before = np.concatenate([[0], np.cumsum(kept)])
        return Entries(before[self.start], place[kept], self.value[kept])

    def csr(self, columns: int) -> Any:
        """Return it as SciPy's CSR matrix (b, columns), for training."""
        from scipy import sparse

        return sparse.csr_matrix((self.value, self.column, self.start), shape=(len(self.start) - 1, columns))
