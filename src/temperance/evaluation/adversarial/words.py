"""Attacks on texts by small changes of few words: the word that matters most first, slips or words of one's own.

Which word matters is asked by leaving it out (as in Jin et al. 2020, arXiv:1907.11932). In its place are tried slips of
the keyboard, which a reader understands, and words that the user says mean the same.
"""

from __future__ import annotations

import time
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from temperance.evaluation.base import Array
from temperance.evaluation.corruption.typos import slip
from temperance.evaluation.schema.constrained import margins
from temperance.records.errors import SettingError
from temperance.records.schema import Rows

Ask = Callable[[Rows], Array]
Change = tuple[tuple[int, int], str]
TELLING = 3  # words of a row that are tried in one round, those that matter most
Synonyms = Mapping[str, Sequence[str]]


@dataclass(frozen=True, eq=False)
class Reworded:
    """What changes of few words did.

    Attributes:
        words: words of a row that may differ.
        right: rows that were right before, (b,) bool.
        survived: rows that are right and that no change broke, (b,) bool.
        rows: the changed rows, the originals where nothing was found.
        changed: words that differ, (b,).
        asked: rows that the model was asked.
        seconds: time it took.

    """

    words: int
    right: NDArray[np.bool_]
    survived: NDArray[np.bool_]
    rows: Rows = field(repr=False)
    changed: NDArray[np.int64] = field(repr=False)
    asked: int = 0
    seconds: float = 0.0

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-safe fields (without rows)."""
        return {
            "words": self.words, "n": len(self.right), "right": int(self.right.sum()),
            "survived": int(self.survived.sum()), "asked": self.asked, "seconds": self.seconds,
        }  # fmt: skip


def reword(
    ask: Ask,
    rows: Rows,
    y: NDArray[np.int64],
    *,
    words: int = 2,
    tries: int = 6,
    synonyms: Synonyms | None = None,
    seed: int = 0,
) -> Reworded:
    """Change up to so many words of each row, greedily; a changed row counts when the answer is wrong.

    Shapes: y (b,).

    Args:
        ask: rows → one number per class (b, c), the largest is the answer.
        rows: clean rows with text.
        y: true classes.
        words: words of a row that may differ.
        tries: slips tried for each word.
        synonyms: words (lower case) that mean the same, by word; tried beside the slips.
        seed: of the slips.

    Raises:
        SettingError: rows without text, or no words to change.

    """
    if rows.text is None or not rows.size:
        raise SettingError("rows without text", "at least one row with text", "Attack tables by the rules of columns")
    if words < 1 or tries < 0 or (tries == 0 and not synonyms):
        raise SettingError(
            f"words={words}, tries={tries}", "at least one word, and slips or synonyms", "Leave them out"
        )
    begun = time.perf_counter()
    hunt = _Hunt(ask, rows, y, tries, synonyms or {}, seed)
    for _ in range(words):
        if not hunt.step():
            break
    return Reworded(
        words, hunt.right, hunt.right & ~hunt.broken, rows._replace(text=hunt.joined()), hunt.count, hunt.asked,
        time.perf_counter() - begun,
    )  # fmt: skip


class _Hunt:
    """Texts as lists of words, changed one word at a time."""

    def __init__(self, ask: Ask, rows: Rows, y: NDArray[np.int64], tries: int, synonyms: Synonyms, seed: int) -> None:
        assert rows.text is not None
        self.ask, self.rows, self.y, self.tries, self.synonyms, self.seed = ask, rows, y, tries, synonyms, seed
        self.cells: list[list[list[str]]] = [[(t or "").split(" ") for t in row] for row in rows.text.tolist()]
        self.none = np.array([[t is None for t in row] for row in rows.text.tolist()], dtype=bool)
        self.touched: list[set[tuple[int, int]]] = [set() for _ in range(rows.size)]
        self.done: list[set[tuple[int, int]]] = [set() for _ in range(rows.size)]
        self.count = np.zeros(rows.size, dtype=np.int64)
        self.asked = 0
        scores = self._scores(np.arange(rows.size), [None] * rows.size)
        self.margin = margins(scores, y)
        self.right = self.margin < 0
        self.broken = np.zeros(rows.size, dtype=bool)

    def joined(self) -> NDArray[np.object_]:
        """Return the texts (b, t), None where they were missing."""
        found: NDArray[np.object_] = np.empty(self.none.shape, dtype=object)
        for i, row in enumerate(self.cells):
            for t, cell in enumerate(row):
                found[i, t] = None if self.none[i, t] else " ".join(cell)
        return found

    def step(self) -> bool:
        """Change the word that matters most in each row that is left; say whether any row was changed."""
        left = [i for i in np.flatnonzero(self.right & ~self.broken).tolist() if self._places(i)]
        if not left:
            return False
        asked = [(i, place) for i in left for place in self._places(i)]
        scores = self._scores(np.array([i for i, _ in asked]), [(place, "") for _, place in asked])
        matters = margins(scores, self.y[[i for i, _ in asked]])
        order: dict[int, list[tuple[float, tuple[int, int]]]] = {}
        for (i, place), value in zip(asked, matters, strict=True):
            known = self.cells[i][place[0]][place[1]].lower() in self.synonyms
            order.setdefault(i, []).append((float("-inf") if known else -float(value), place))
        tried = []
        for i, places in order.items():
            named = sum(value == float("-inf") for value, _ in places)
            chosen = [place for _, place in sorted(places)[: named + TELLING]]
            tried += [(i, (place, word)) for place in chosen for word in self._others(i, place)]
            self.touched[i].update(chosen)
        if not tried:
            return False
        scores = self._scores(np.array([i for i, _ in tried]), [change for _, change in tried])
        return self._keep(tried, margins(scores, self.y[[i for i, _ in tried]]))

    def _keep(self, tried: list[tuple[int, Change]], values: Array) -> bool:
        """Take the best change of each row where it helps; the other words that were tried may be tried again then."""
        chosen: dict[int, tuple[float, Change]] = {}
        for (i, change), value in zip(tried, values, strict=True):
            if i not in chosen or value > chosen[i][0]:
                chosen[i] = (float(value), change)
        for i, (value, (place, word)) in chosen.items():
            if value > self.margin[i]:
                self.cells[i][place[0]][place[1]] = word
                self.touched[i] = {p for p in self.touched[i] if p in self.done[i]} | {place}
                self.done[i].add(place)
                self.count[i] += 1
                self.margin[i] = value
                self.broken[i] = value >= 0
        return bool(chosen)

    def _places(self, i: int) -> list[tuple[int, int]]:
        return [
            (t, place)
            for t, cell in enumerate(self.cells[i])
            for place, word in enumerate(cell)
            if word and (t, place) not in self.touched[i]
        ]

    def _others(self, i: int, place: tuple[int, int]) -> list[str]:
        word = self.cells[i][place[0]][place[1]]
        draw = np.random.default_rng([self.seed, zlib.crc32(word.encode()), 0x51])
        slips = [slip(word, draw.random(3)) for _ in range(self.tries)]
        return sorted({*slips, *self.synonyms.get(word.lower(), ())} - {word})

    def _scores(self, at: NDArray[np.int64], changes: Sequence[Change | None]) -> Array:
        text: NDArray[np.object_] = np.empty((len(at), self.none.shape[1]), dtype=object)
        for k, (i, change) in enumerate(zip(at, changes, strict=True)):
            for t, cell in enumerate(self.cells[i]):
                words = cell
                if change is not None and change[0][0] == t:
                    place = change[0][1]
                    words = [*cell[:place], *([change[1]] if change[1] else []), *cell[place + 1 :]]
                text[k, t] = None if self.none[i, t] else " ".join(words)
        self.asked += len(at)
        return np.asarray(self.ask(self.rows.take(at)._replace(text=text)), dtype=np.float64)
