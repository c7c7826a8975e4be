"""A column of text as numbers: hashed words and runs of letters, weighed by TF-IDF, in a few directions (SVD)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from temperance.data.blocks.base import BLOCKS, Arrays, Block
from temperance.data.blocks.ngrams import Counts, normal, runs, words
from temperance.records.errors import SettingError
from temperance.records.schema import Rows, Schema

DIRECTIONS = 64  # of the SVD
MOST_PIECES = 2**17  # of each kind: the most frequent ones are kept
MOST_FOR_DIRECTIONS = 2**13  # of each kind
ROWS_FOR_DIRECTIONS = 20_000  # evenly taken; directions gain nothing from more
SIGNS = 2**22  # of the texts that are counted at once
TERMS = 2**22  # products that are held at once
STYLE = ("is missing", "words", "letters per word", "share of capitals", "share of digits", "share of other signs")
KINDS: dict[str, Callable[[Sequence[str]], Counts]] = {"words": words, "runs": runs}


class Entries(NamedTuple):
    """A sparse matrix, row by row. Shapes: start (b + 1,) int64 · column (e,) int64 · value (e,) float32."""

    start: NDArray[np.int64]
    column: NDArray[np.int64]
    value: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Vocabulary:
    """The pieces of one kind that training texts held, with their weights.

    value = (1 + ln count) · idf, idf = ln((1 + n) / (1 + texts with the piece)) + 1, then divided by the norm of the
    text's values (Salton and Buckley 1988, Information Processing and Management 24(5), as scikit-learn has it with
    ``sublinear_tf`` and ``smooth_idf``).

    Shapes: pieces (k,) uint32, rising · idf (k,) float32.
    """

    pieces: NDArray[np.uint32]
    idf: NDArray[np.float32]

    @classmethod
    def fit(cls, found: Counts, texts: int) -> Self:
        """Keep the most frequent pieces of training texts; of equally frequent ones those with the smaller code."""
        pieces, held = np.unique(found.piece, return_counts=True)
        if len(pieces) > MOST_PIECES:
            kept = np.sort(np.argsort(-held, kind="stable")[:MOST_PIECES])
            pieces, held = pieces[kept], held[kept]
        return cls(pieces, (np.log((1 + texts) / (1 + held)) + 1).astype(np.float32))

    def entries(self, found: Counts, texts: int) -> Entries:
        """Return the weighed counts (texts, k) of known pieces."""
        if not len(self.pieces):
            return Entries(np.zeros(texts + 1, np.int64), np.empty(0, np.int64), np.empty(0, np.float32))
        column = np.minimum(np.searchsorted(self.pieces, found.piece), len(self.pieces) - 1)
        known = self.pieces[column] == found.piece
        column, text = column[known], found.text[known]
        value = (1 + np.log(found.count[known])) * self.idf[column]
        start = np.searchsorted(text, np.arange(texts + 1))
        norm = np.sqrt(np.bincount(text, value.astype(np.float64) ** 2, minlength=texts))
        return Entries(start, column, (value / norm[text]).astype(np.float32))


def times(entries: Entries, weights: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the product (b, d) of a sparse matrix with ``weights`` (k, d)."""
    rows = len(entries.start) - 1
    out = np.zeros((rows, weights.shape[1]), dtype=np.float32)
    step = max(1, TERMS // max(1, weights.shape[1]))
    first = 0
    while first < rows:  # whole rows at a time, at least one
        last = max(first + 1, int(np.searchsorted(entries.start, entries.start[first] + step, side="right")) - 1)
        part = slice(entries.start[first], entries.start[last])
        filled = first + np.flatnonzero(np.diff(entries.start[first : last + 1]))
        if len(filled):
            terms = weights[entries.column[part]] * entries.value[part, None]
            out[filled] = np.add.reduceat(terms, entries.start[filled] - entries.start[first], axis=0)
        first = last
    return out


def style(texts: Sequence[str | None]) -> NDArray[np.float64]:
    """Return how texts are written, (b, 6): see ``STYLE``; logarithms of counts, shares from 0 to 1."""
    out = np.zeros((len(texts), len(STYLE)))
    for row, text in zip(out, texts, strict=True):
        if not text:
            row[0] = 1.0
            continue
        size, count = len(text), len(text.split())
        capitals, digits = sum(map(str.isupper, text)), sum(map(str.isdigit, text))
        other = size - sum(map(str.isalnum, text)) - sum(map(str.isspace, text))
        row[:] = 0.0, np.log1p(count), np.log1p(size / max(1, count)), capitals / size, digits / size, other / size
    return out


@BLOCKS.add
class TextBlock(Block):
    """One column of text.

    Its numbers are how the text is written (``STYLE``, in standard deviations of the training rows), then the
    coordinates of its weighed pieces in the ``DIRECTIONS`` that hold most of them in the training rows (Deerwester et
    al. 1990, JASIS 41(6)), each without its mean and divided by its standard deviation there. ``wide`` gives the
    weighed pieces themselves.

    Args:
        column: its name.
        place: its place in ``Rows.text``.
        vocabularies: of words and of runs.
        chosen: per kind (q,) int64, the pieces that the directions are made of.
        directions: (Σ q, d) float32.
        middle: (d,) float32, mean of the training texts along each direction.
        mean, scale: (6,) float64, of the style.

    """

    def __init__(
        self, column: str, place: int, vocabularies: Mapping[str, Vocabulary], chosen: Mapping[str, NDArray[np.int64]],
        directions: NDArray[np.float32], middle: NDArray[np.float32], mean: NDArray[np.float64],
        scale: NDArray[np.float64],
    ) -> None:  # fmt: skip
        self.column, self.place = column, place
        self.vocabularies, self.chosen, self.directions = dict(vocabularies), dict(chosen), directions
        self.middle, self.mean, self.scale = middle, mean, scale
        self._memory: dict[Any, Any] = {}

    @classmethod
    def fit(cls, rows: Rows, schema: Schema) -> tuple[Self, ...]:
        if rows.text is None:
            return ()
        return tuple(cls._fit(column.name, j, rows.text[:, j]) for j, column in enumerate(schema.text))

    @classmethod
    def _fit(cls, name: str, place: int, texts: NDArray[np.object_]) -> Self:
        found = {kind: _joined(_counted(texts, count)) for kind, count in KINDS.items()}
        known = {kind: Vocabulary.fit(counts, len(texts)) for kind, counts in found.items()}
        chosen = {kind: _frequent(one) for kind, one in known.items()}
        written = style(texts)
        spread = written.std(axis=0)
        scale = np.where(spread > 1e-9, 1 / np.where(spread > 1e-9, spread, 1.0), 0.0)
        none = np.empty((0, 0), np.float32)
        block = cls(name, place, known, chosen, none, none, written.mean(axis=0), scale)
        block.directions, block.middle = block._svd(found, len(texts))
        return block

    def _svd(self, found: Mapping[str, Counts], texts: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return directions in which the training texts have standard deviation 1, and their means along them."""
        from scipy import sparse
        from sklearn.decomposition import TruncatedSVD

        parts = [_csr(self._few(kind, found[kind], texts), len(self.chosen[kind])) for kind in KINDS]
        matrix = sparse.hstack(parts, format="csr")
        matrix = matrix[np.unique(np.linspace(0, texts - 1, min(texts, ROWS_FOR_DIRECTIONS)).astype(np.int64))]
        count = min(DIRECTIONS, min(matrix.shape) - 1)
        if count < 1:
            return np.zeros((matrix.shape[1], 0), dtype=np.float32), np.zeros(0, dtype=np.float32)
        svd = TruncatedSVD(count, n_iter=2, n_oversamples=16, random_state=0)
        with np.errstate(invalid="ignore", divide="ignore"):  # it explains shares of a variance that may be 0
            svd.fit(matrix)
        along = svd.transform(matrix)
        spread, middle = along.std(axis=0), along.mean(axis=0)
        kept = spread > 1e-4
        directions = np.ascontiguousarray((svd.components_[kept] / spread[kept, None]).T, dtype=np.float32)
        return directions, (middle[kept] / spread[kept]).astype(np.float32)

    def _few(self, kind: str, found: Counts, texts: int) -> Entries:
        """Return the entries of the pieces that the directions are made of; norms count all pieces."""
        whole, chosen = self.vocabularies[kind].entries(found, texts), self.chosen[kind]
        place = np.minimum(np.searchsorted(chosen, whole.column), max(0, len(chosen) - 1))
        kept = chosen[place] == whole.column if len(chosen) else np.zeros(len(whole.column), dtype=bool)
        before = np.concatenate([[0], np.cumsum(kept)])
        return Entries(before[whole.start], place[kept], whole.value[kept])

    @property
    def names(self) -> tuple[str, ...]:
        directions = (f"{self.column}: direction {j + 1}" for j in range(self.directions.shape[1]))
        return (*(f"{self.column}: {one}" for one in STYLE), *directions)

    @property
    def sources(self) -> tuple[str, ...]:
        return (self.column,)

    def transform(self, rows: Rows) -> NDArray[np.float32]:
        texts = self._texts(rows)
        return self._once("numbers", texts, lambda: self._numbers(texts))

    def _numbers(self, texts: NDArray[np.object_]) -> NDArray[np.float32]:
        written = np.clip((style(texts) - self.mean) * self.scale, -10, 10).astype(np.float32)
        ends = np.cumsum([0, *(len(self.chosen[kind]) for kind in KINDS)])
        found = np.repeat(-self.middle[None], len(texts), axis=0)
        for (kind, count), first, last in zip(KINDS.items(), ends, ends[1:], strict=False):
            parts = _counted(texts, count)
            found += np.concatenate([times(self._few(kind, *one), self.directions[first:last]) for one in parts])
        return np.concatenate([written, np.clip(found, -10, 10)], axis=1)

    def wide(self, rows: Rows) -> Any:
        from scipy import sparse

        texts = self._texts(rows)
        return self._once("wide", texts, lambda: sparse.hstack(
            [_csr(self._all(kind, texts), len(self.vocabularies[kind].pieces)) for kind in KINDS], format="csr"
        ))  # fmt: skip

    @property
    def wide_width(self) -> int:
        return sum(len(one.pieces) for one in self.vocabularies.values())

    def scores(self, rows: Rows, weights: NDArray[np.float32]) -> NDArray[np.float32]:
        texts, out, first = self._texts(rows), np.zeros((rows.size, weights.shape[1]), dtype=np.float32), 0
        for kind, one in self.vocabularies.items():
            last = first + len(one.pieces)
            out += times(self._all(kind, texts), weights[first:last])
            first = last
        return out

    def _all(self, kind: str, texts: NDArray[np.object_]) -> Entries:
        parts = [self.vocabularies[kind].entries(*one) for one in _counted(texts, KINDS[kind])]
        ends = np.cumsum([0, *(len(part.column) for part in parts)])
        starts = [part.start[1:] + end for part, end in zip(parts, ends, strict=False)]
        return Entries(
            np.concatenate([np.zeros(1, np.int64), *starts]), np.concatenate([part.column for part in parts]),
            np.concatenate([part.value for part in parts]),
        )  # fmt: skip

    def _texts(self, rows: Rows) -> NDArray[np.object_]:
        if rows.text is None:
            raise SettingError("rows without text", f"the text of {self.column!r}", "Give rows of the same columns")
        return rows.text[:, self.place]

    def _once(self, what: str, texts: NDArray[np.object_], make: Callable[[], Any]) -> Any:
        """Return what ``make`` gives, remembered for the many rows that each model of a fold asks for again."""
        if not REMEMBERED[0] <= len(texts) <= REMEMBERED[1]:
            return make()
        key = (what, tuple(texts))
        if key not in self._memory:
            if len(self._memory) >= 6:
                del self._memory[next(iter(self._memory))]
            self._memory[key] = make()
        return self._memory[key]

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_memory": {}}

    def to_arrays(self) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
        arrays: dict[str, NDArray[Any]] = {
            "directions": self.directions, "middle": self.middle, "mean": self.mean, "scale": self.scale,
        }  # fmt: skip
        for kind, one in self.vocabularies.items():
            arrays |= {f"{kind}.pieces": one.pieces, f"{kind}.idf": one.idf, f"{kind}.chosen": self.chosen[kind]}
        return arrays, {"column": self.column, "place": self.place}

    @classmethod
    def from_arrays(cls, arrays: Arrays, settings: Mapping[str, Any]) -> Self:
        known = {kind: Vocabulary(arrays[f"{kind}.pieces"], arrays[f"{kind}.idf"]) for kind in KINDS}
        chosen = {kind: arrays[f"{kind}.chosen"] for kind in KINDS}
        if len(arrays["directions"]) != sum(map(len, chosen.values())):
            raise ValueError("directions of other pieces")
        return cls(
            str(settings["column"]), int(settings["place"]), known, chosen, arrays["directions"], arrays["middle"],
            arrays["mean"], arrays["scale"],
        )  # fmt: skip


REMEMBERED = 64, 50_000  # rows between which numbers are remembered


def _counted(texts: NDArray[np.object_], count: Callable[[Sequence[str]], Counts]) -> list[tuple[Counts, int]]:
    return [(count(part), len(part)) for part in _batches([normal(text) for text in texts])]


def _batches(texts: Sequence[str]) -> Iterator[Sequence[str]]:
    """Give texts in parts of about ``SIGNS`` signs; one part at least."""
    first, signs = 0, 0
    for i, text in enumerate(texts):
        if signs and signs + len(text) > SIGNS:
            yield texts[first:i]
            first, signs = i, 0
        signs += len(text)
    yield texts[first:]


def _joined(parts: Sequence[tuple[Counts, int]]) -> Counts:
    before = np.cumsum([0, *(size for _, size in parts)])
    places = [found.text + start for (found, _), start in zip(parts, before, strict=False)]
    return Counts(
        np.concatenate(places), np.concatenate([found.piece for found, _ in parts]),
        np.concatenate([found.count for found, _ in parts]),
    )  # fmt: skip


def _frequent(one: Vocabulary) -> NDArray[np.int64]:
    """Return the pieces that most texts hold, and more than one: those with the smallest idf."""
    order = np.argsort(one.idf, kind="stable")[:MOST_FOR_DIRECTIONS]
    rare = one.idf.max(initial=0.0)  # those of a single text, unless all are as frequent
    common = order[one.idf[order] < rare]
    return np.sort(common if len(common) else order).astype(np.int64)


def _csr(entries: Entries, columns: int) -> Any:
    from scipy import sparse

    return sparse.csr_matrix((entries.value, entries.column, entries.start), shape=(len(entries.start) - 1, columns))
