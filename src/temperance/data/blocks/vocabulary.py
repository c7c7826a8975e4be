"""What training texts held: their pieces with weights (TF-IDF), and the directions that hold most of them (SVD)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from temperance.data.blocks.entries import Entries
from temperance.data.blocks.ngrams import Counts, normal, runs, words

DIRECTIONS = 64
MOST_PIECES = 2**17  # of each kind: the most frequent ones are kept
MOST_FOR_DIRECTIONS = 2**13  # of each kind
SIGNS = 2**22  # of the texts that are counted at once
KINDS: dict[str, Callable[[Sequence[str]], Counts]] = {"words": words, "runs": runs}


@dataclass(frozen=True, eq=False)
class Vocabulary:
    """The pieces of one kind that training texts held, with their weights.

    value = (1 + ln count) · idf, idf = ln((1 + n) / (1 + texts with the piece)) + 1, then divided by the norm of the
    text's values (Salton and Buckley 1988, Information Processing and Management 24(5), as scikit-learn has it with
    ``sublinear_tf`` and ``smooth_idf``).

    Attributes:
        kind: ``words`` or ``runs``.
        pieces: (k,) uint32, rising.
        idf: (k,) float32.

    """

    kind: str
    pieces: NDArray[np.uint32]
    idf: NDArray[np.float32]

    @classmethod
    def fit(cls, kind: str, texts: Sequence[str | None]) -> Self:
        """Keep the most frequent pieces of training texts; of equally frequent ones those with the smaller code."""
        found = [counts.piece for counts, _ in counted(texts, kind)]
        pieces, held = np.unique(np.concatenate(found), return_counts=True)
        if len(pieces) > MOST_PIECES:
            kept = np.sort(np.argsort(-held, kind="stable")[:MOST_PIECES])
            pieces, held = pieces[kept], held[kept]
        return cls(kind, pieces, (np.log((1 + len(texts)) / (1 + held)) + 1).astype(np.float32))

    def entries(self, texts: Sequence[str | None]) -> Entries:
        """Return the weighed counts (b, k) of the known pieces of texts (b,)."""
        return Entries.stack([self._weighed(found, size) for found, size in counted(texts, self.kind)])

    def _weighed(self, found: Counts, texts: int) -> Entries:
        if not len(self.pieces):
            return Entries(np.zeros(texts + 1, np.int64), np.empty(0, np.int64), np.empty(0, np.float32))
        column = np.minimum(np.searchsorted(self.pieces, found.piece), len(self.pieces) - 1)
        known = self.pieces[column] == found.piece
        column, text = column[known], found.text[known]
        value = (1 + np.log(found.times[known])) * self.idf[column]
        norm = np.sqrt(np.bincount(text, value.astype(np.float64) ** 2, minlength=texts))
        start = np.searchsorted(text, np.arange(texts + 1))
        return Entries(start, column, (value / norm[text]).astype(np.float32))

    def frequent(self) -> NDArray[np.int64]:
        """Return the places (q,) of the pieces that most texts hold, more than one text where there are any."""
        order = np.argsort(self.idf, kind="stable")[:MOST_FOR_DIRECTIONS]
        common = order[self.idf[order] < self.idf.max(initial=0.0)]
        return np.sort(common if len(common) else order).astype(np.int64)


class Directions(NamedTuple):
    """Where most of the weighed pieces of training texts lie.

    Shapes: chosen, per kind of piece (q,) int64, places in its vocabulary · axes (Σ q, d) float32, along which the
    training texts have standard deviation 1 · middle (d,) float32, their means.
    """

    chosen: tuple[NDArray[np.int64], ...]
    axes: NDArray[np.float32]
    middle: NDArray[np.float32]

    @classmethod
    def none(cls) -> Self:
        """Return no directions."""
        empty = np.empty(0, dtype=np.int64)
        return cls((empty,) * len(KINDS), np.empty((0, 0), np.float32), np.empty(0, np.float32))

    @classmethod
    def fit(cls, vocabularies: Iterable[Vocabulary], texts: Sequence[str | None]) -> Self:
        """Find them in training texts."""
        from scipy import sparse
        from sklearn.decomposition import TruncatedSVD

        chosen = tuple(one.frequent() for one in vocabularies)
        pairs = zip(vocabularies, chosen, strict=True)
        parts = [one.entries(texts).only(places).csr(len(places)) for one, places in pairs]
        matrix = sparse.hstack(parts, format="csr")
        count = min(DIRECTIONS, min(matrix.shape) - 1)
        if count < 1:
            return cls.none()
        svd = TruncatedSVD(count, n_iter=2, n_oversamples=16, random_state=0)
        with np.errstate(invalid="ignore", divide="ignore"):  # it explains shares of a variance that may be 0
            svd.fit(matrix)
        along = svd.transform(matrix)
        spread, middle = along.std(axis=0), along.mean(axis=0)
        kept = spread > 1e-4
        axes = np.ascontiguousarray((svd.components_[kept] / spread[kept, None]).T, dtype=np.float32)
        return cls(chosen, axes, (middle[kept] / spread[kept]).astype(np.float32))

    def coordinates(self, parts: Sequence[Entries]) -> NDArray[np.float32]:
        """Return the coordinates (b, d) of texts from their weighed counts, one part per kind of piece."""
        found, first = np.repeat(-self.middle[None], len(parts[0].start) - 1, axis=0), 0
        for part, places in zip(parts, self.chosen, strict=True):
            last = first + len(places)
            if last > first:
                found += part.only(places).times(self.axes[first:last])
            first = last
        return found


def counted(texts: Sequence[str | None], kind: str) -> Iterator[tuple[Counts, int]]:
    """Count texts in parts of about ``SIGNS`` signs, at least one part; each with its count of texts."""
    plain = [normal(text) for text in texts]
    first, signs = 0, 0
    for i, text in enumerate(plain):
        if signs and signs + len(text) > SIGNS:
            yield MEMORY.counts(kind, plain[first:i]), i - first
            first, signs = i, 0
        signs += len(text)
    yield MEMORY.counts(kind, plain[first:]), len(plain) - first


class _Memory:
    """Counts of texts that were counted before: the folds of a study ask for the same ones again and again.

    It holds nothing until ``limit`` is set, so a server keeps no text of a request.
    """

    def __init__(self) -> None:
        self.limit, self._size = 0, 0
        self._held: dict[tuple[str, str], tuple[NDArray[np.uint32], NDArray[np.float32]]] = {}

    def counts(self, kind: str, texts: Sequence[str]) -> Counts:
        """Return what counting the texts gives."""
        count, held = KINDS[kind], self._held
        if not self.limit or not texts:
            return count(texts)
        self._learn(kind, [text for text in dict.fromkeys(texts) if (kind, text) not in held])
        if any((kind, text) not in held for text in texts):
            return count(texts)
        found = [held[kind, text] for text in texts]
        place = np.repeat(np.arange(len(texts), dtype=np.int64), [len(pieces) for pieces, _ in found])
        return Counts(place, np.concatenate([one[0] for one in found]), np.concatenate([one[1] for one in found]))

    def _learn(self, kind: str, texts: Sequence[str]) -> None:
        if not texts or self._size > self.limit:
            return
        found = KINDS[kind](texts)
        ends = np.searchsorted(found.text, np.arange(1, len(texts)))
        parts = zip(texts, np.split(found.piece, ends), np.split(found.times, ends), strict=True)
        self._held |= {(kind, text): (pieces, counts) for text, pieces, counts in parts}
        self._size += len(found.piece)


MEMORY = _Memory()
