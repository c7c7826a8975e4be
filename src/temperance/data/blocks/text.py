"""A column of text as numbers: how it is written, and where its hashed words and runs of letters lie."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from temperance.data.blocks.base import BLOCKS, Arrays, Block
from temperance.data.blocks.entries import Entries
from temperance.data.blocks.vocabulary import KINDS, Directions, Vocabulary
from temperance.records.errors import SettingError
from temperance.records.schema import Rows, Schema

ROWS_FOR_DIRECTIONS = 20_000  # evenly taken; directions gain nothing from more
FARTHEST = 10.0  # standard deviations at which a number is cut
REMEMBERED = 64, 50_000  # rows between which numbers are remembered: the models of a fold ask for the same ones
MOST_REMEMBERED = 6
STYLE = ("is missing", "words", "letters per word", "share of capitals", "share of digits", "share of other signs")


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
    coordinates of its weighed pieces in the directions that hold most of them in the training rows (Deerwester et al.
    1990, JASIS 41(6)), each without its mean and divided by its standard deviation there. ``wide`` gives the weighed
    pieces themselves.

    Args:
        column: its name.
        place: its place in ``Rows.text``.
        vocabularies: of words and of runs.
        mean: (6,) of the style.
        scale: (6,) 1 / standard deviation, or 0.
        learn: (n,) training texts, from which the directions are found when they are first asked for.
        found: the directions, where they are known.

    """

    def __init__(
        self, column: str, place: int, vocabularies: Sequence[Vocabulary], mean: NDArray[np.float64],
        scale: NDArray[np.float64], *, learn: Sequence[str | None] = (), found: Directions | None = None,
    ) -> None:  # fmt: skip
        self.column, self.place, self.vocabularies = column, place, tuple(vocabularies)
        self.mean, self.scale = mean, scale
        self._learn, self._found = learn, found
        self._memory: dict[Any, Any] = {}

    @classmethod
    def fit(cls, rows: Rows, schema: Schema) -> tuple[Self, ...]:
        if rows.text is None:
            return ()
        return tuple(cls._fit(column.name, j, rows.text[:, j].tolist()) for j, column in enumerate(schema.text))

    @classmethod
    def _fit(cls, name: str, place: int, texts: Sequence[str | None]) -> Self:
        written = style(texts)
        spread = written.std(axis=0)
        scale = np.where(spread > 1e-9, 1 / np.where(spread > 1e-9, spread, 1.0), 0.0)
        return cls(
            name, place, [Vocabulary.fit(kind, texts) for kind in KINDS], written.mean(axis=0), scale, learn=texts
        )

    @property
    def directions(self) -> Directions:
        """The directions; a model of the wide numbers alone never asks for them."""
        if self._found is None:
            count = len(self._learn)
            few = np.unique(np.linspace(0, count - 1, min(count, ROWS_FOR_DIRECTIONS)).astype(np.int64))
            self._found = Directions.fit(self.vocabularies, [self._learn[i] for i in few])
            self._learn = ()
        return self._found

    def words_only(self) -> Self:
        """Return the same without directions: all that the scores of a linear model on words need."""
        return type(self)(
            self.column, self.place, self.vocabularies, self.mean, self.scale, found=Directions.none()
        )  # fmt: skip

    @property
    def names(self) -> tuple[str, ...]:
        directions = (f"{self.column}: direction {j + 1}" for j in range(len(self.directions.middle)))
        return (*(f"{self.column}: {one}" for one in STYLE), *directions)

    @property
    def sources(self) -> tuple[str, ...]:
        return (self.column,)

    def transform(self, rows: Rows) -> NDArray[np.float32]:
        texts = self._texts(rows)
        found: NDArray[np.float32] = self._once("numbers", texts, lambda: self._numbers(texts))
        return found

    def _numbers(self, texts: Sequence[str | None]) -> NDArray[np.float32]:
        written = (style(texts) - self.mean) * self.scale
        found = self.directions.coordinates(self._entries(texts))
        both = np.clip(np.concatenate([written, found], axis=1), -FARTHEST, FARTHEST)
        return np.asarray(both, dtype=np.float32)

    def wide(self, rows: Rows) -> Any:
        from scipy import sparse

        def made() -> Any:
            parts = zip(self._entries(texts), self.vocabularies, strict=True)
            return sparse.hstack([part.csr(len(one.pieces)) for part, one in parts], format="csr")

        texts = self._texts(rows)
        return self._once("wide", texts, made)

    @property
    def wide_width(self) -> int:
        return sum(len(one.pieces) for one in self.vocabularies)

    def scores(self, rows: Rows, weights: NDArray[np.float32]) -> NDArray[np.float32]:
        out = np.zeros((rows.size, weights.shape[1]), dtype=np.float32)
        ends = np.cumsum([len(one.pieces) for one in self.vocabularies])
        for part, own in zip(self._entries(self._texts(rows)), np.split(weights, ends[:-1]), strict=True):
            out += part.times(own)
        return out

    def _entries(self, texts: Sequence[str | None]) -> list[Entries]:
        return [one.entries(texts) for one in self.vocabularies]

    def _texts(self, rows: Rows) -> list[str | None]:
        if rows.text is None:
            raise SettingError("rows without text", f"the text of {self.column!r}", "Give rows of the same columns")
        found: list[str | None] = rows.text[:, self.place].tolist()
        return found

    def _once(self, what: str, texts: Sequence[str | None], make: Callable[[], Any]) -> Any:
        if not REMEMBERED[0] <= len(texts) <= REMEMBERED[1]:
            return make()
        key = (what, tuple(texts))
        if key not in self._memory:
            if len(self._memory) >= MOST_REMEMBERED:
                del self._memory[next(iter(self._memory))]
            self._memory[key] = make()
        return self._memory[key]

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_memory": {}}

    def to_arrays(self) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
        chosen, axes, middle = self.directions
        arrays: dict[str, NDArray[Any]] = {"axes": axes, "middle": middle, "mean": self.mean, "scale": self.scale}
        for one, places in zip(self.vocabularies, chosen, strict=True):
            arrays |= {f"{one.kind}.pieces": one.pieces, f"{one.kind}.idf": one.idf, f"{one.kind}.chosen": places}
        return arrays, {"column": self.column, "place": self.place}

    @classmethod
    def from_arrays(cls, arrays: Arrays, settings: Mapping[str, Any]) -> Self:
        known = [Vocabulary(kind, arrays[f"{kind}.pieces"], arrays[f"{kind}.idf"]) for kind in KINDS]
        found = Directions(tuple(arrays[f"{kind}.chosen"] for kind in KINDS), arrays["axes"], arrays["middle"])
        if len(found.axes) != sum(map(len, found.chosen)):
            raise ValueError("directions of other pieces")
        name, place = str(settings["column"]), int(settings["place"])
        return cls(name, place, known, arrays["mean"], arrays["scale"], found=found)
