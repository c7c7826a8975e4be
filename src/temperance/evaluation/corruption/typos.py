"""Text as people type it in a hurry."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from temperance.evaluation.corruption.base import Corruption, Reference
from temperance.records.schema import Rows

_LEVELS = (0.05, 0.1, 0.2, 0.3, 0.5)
_KEYS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_NEAR = {
    key: "".join(
        other
        for r, line in enumerate(_KEYS)
        for c, other in enumerate(line)
        if other != key and abs(r - row) <= 1 and abs(c - column) <= 1
    )
    for row, keys in enumerate(_KEYS)
    for column, key in enumerate(keys)
}
Change = Callable[[str, NDArray[np.float64]], str]


def _words(rows: Rows, level: float, generator: np.random.Generator, change: Change) -> Rows:
    """Change a share of the words of every text; each word has its own numbers, whatever the level."""
    if rows.text is None:
        return rows
    text = rows.text.copy()
    for place in np.ndindex(text.shape):
        cell: str | None = text[place]  # type: ignore[assignment]
        if not cell:
            continue
        words = cell.split(" ")
        drawn = generator.random((len(words), 4))
        changed = [change(w, d[1:]) if w and d[0] < level else w for w, d in zip(words, drawn, strict=True)]
        joined = " ".join(word for word in changed if word or changed == words)
        text[place] = joined if joined.strip() else cell  # a text is never left without a word
    return rows._replace(text=text)


@dataclass(frozen=True)
class _Words(Corruption):
    """What families on words share: only tables with text, and the share of words."""

    kind = "table"
    basic = False

    def levels(self, reference: Reference) -> tuple[float, ...]:
        """Return shares of words."""
        return _LEVELS

    def applies(self, reference: Reference) -> bool:
        """Need a column of text."""
        return len(reference.schema.text) > 0


@final
@dataclass(frozen=True)
class Typos(_Words):
    """One slip in each word hit: a neighbouring key, two letters exchanged, one left out or doubled."""

    name = "typos"
    words = "words are misspelt (share of words)"

    def corrupt(self, rows: Rows, *, level: float, reference: Reference, generator: np.random.Generator) -> Rows:
        """Return rows with slips in the texts."""
        return _words(rows, level, generator, slip)


@final
@dataclass(frozen=True)
class LostWords(_Words):
    """Words that are not there."""

    name = "lost_words"
    words = "words are left out (share of words)"

    def corrupt(self, rows: Rows, *, level: float, reference: Reference, generator: np.random.Generator) -> Rows:
        """Return rows without the words hit."""
        return _words(rows, level, generator, lambda word, drawn: "")


@final
@dataclass(frozen=True)
class Spelling(_Words):
    """Capitals, accents and blanks that another keyboard or program changes."""

    name = "spelling"
    words = "capitals, accents and blanks of words change (share of words)"

    def corrupt(self, rows: Rows, *, level: float, reference: Reference, generator: np.random.Generator) -> Rows:
        """Return rows with words written another way."""
        return _words(rows, level, generator, _respell)


def slip(word: str, drawn: NDArray[np.float64]) -> str:
    """Return a word with one slip: a neighbouring key, two letters exchanged, one left out, one doubled.

    Shapes: drawn (3,), numbers from 0 to 1: where, which kind, which key.
    """
    place, kind = int(drawn[0] * len(word)), int(drawn[1] * 4)
    letter = word[place]
    if kind == 0 and (near := _NEAR.get(letter.lower())):
        other = near[int(drawn[2] * len(near))]
        return word[:place] + (other.upper() if letter.isupper() else other) + word[place + 1 :]
    if kind == 1 and place + 1 < len(word):
        return word[:place] + word[place + 1] + letter + word[place + 2 :]
    if kind == 2 and len(word) > 1:
        return word[:place] + word[place + 1 :]
    return word[:place] + letter + word[place:]


def _respell(word: str, drawn: NDArray[np.float64]) -> str:
    kind = int(drawn[0] * 3)
    if kind == 0:
        return word.upper() if drawn[1] < 0.5 else word.lower()
    if kind == 1:
        parts = unicodedata.normalize("NFKD", word)
        return "".join(letter for letter in parts if not unicodedata.combining(letter))
    return f"{word} " if drawn[1] < 0.5 else f" {word}"
