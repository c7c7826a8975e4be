"""Texts of test rows that are nearly the same as texts the model learns from."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from temperance.audit.base import CHECKS, Check, count_of
from temperance.audit.context import Context
from temperance.audit.copies import effect_of_copies, sentence_of_effect, state_of_copies
from temperance.audit.minhash import Library
from temperance.audit.planting import Kind, Planting
from temperance.records.finding import Finding
from temperance.records.table import Table

Ints = NDArray[np.int64]
SHORT = 20  # letters below which two texts are alike by chance


@CHECKS.add
@dataclass(frozen=True)
class TextDuplicates(Check):
    """Compare texts by the Jaccard index of their groups of five letters; candidates come from MinHash bands.

    ``near``: index of a copy. Texts of fewer than 20 letters are copies only where they are equal.
    """

    near: float = 0.8
    planted: int = 20

    name: ClassVar[str] = "text_duplicates"
    label: ClassVar[str] = "copied texts"
    rank: ClassVar[int] = 22
    sizes: ClassVar[tuple[int | None, ...]] = (10_000, 3_000, 1_000)
    false_alarm_rate: ClassVar[float] = 0.01
    why: ClassVar[str] = (
        "The model has already read these texts, so its test score looks better than it will be in use."
    )
    cannot_see: ClassVar[str] = "Translations, and the same message told in other words."
    references: ClassVar[tuple[str, ...]] = ("Broder (1997), Compression and Complexity of Sequences",)

    def unsuited(self, context: Context) -> str:
        """Return why not: no text, or no test rows."""
        if context.raw is None or not context.raw.schema.text:
            return "the data has no columns of text."
        return "" if len(context.testing[1]) else "there are no test rows."

    def estimate(self, context: Context, rows: int) -> float:
        """Return seconds: 128 hashes of each letter group."""
        return 0.5 + 1.2e-3 * rows

    def inspect(self, context: Context) -> Finding:
        """Compare test texts with those for development, then look for planted copies."""
        if context.raw is None:
            raise ValueError("a table with text keeps its raw rows")
        table, test = context.testing
        sample = context.sample(self.name)
        queried = context.sample(f"{self.name} test", max(200, len(sample) // 4), test)
        ours = texts_of(context.raw, sample)
        theirs = texts_of(context.raw_test or context.raw, queried)
        library = Library.of(ours)
        copied, place = self.copies(library, ours, theirs)
        k = int(copied.sum())
        partners = sample[place[copied]]
        effect = effect_of_copies(context, table, queried, copied, partners, limit=2000) if k else {}
        natural = self._natural(context, library, ours)
        pairs = [
            {"test_row": int(queried[i]), "development_row": int(sample[place[i]]), "text": theirs[i][:80]}
            for i in np.flatnonzero(copied)[:20]
        ]
        evidence = {
            "n": len(queried), "k": k, "rows": queried[copied][:1000], "examples": pairs, "natural_rate": natural,
        }  # fmt: skip
        verb = "is nearly the same as one" if k == 1 else "are nearly the same as ones"
        title = f"{count_of(k, 'text')} of {len(queried):,} test texts {verb} that the model learns from."
        action = (
            "Read the score without these rows as the honest one.",
            "Remove the copies on one side, or name what they share with --group.",
        )
        return self.finding(
            state_of_copies(k, k / max(len(queried), 1), natural, effect),
            title + sentence_of_effect(effect) if k else "No test text is nearly the same as one for learning.",
            evidence=evidence,
            effect=effect,
            confidence=self.self_test(context, library, ours),
            thresholds={"near": self.near},
            action=action if k else (),
        )

    def copies(self, library: Library, ours: list[str], theirs: list[str]) -> tuple[NDArray[np.bool_], Ints]:
        """Return which of ``theirs`` are copies of texts in the library, and the place of the original (−1: none).

        Shapes: (q,) both.
        """
        value, place = library.nearest(theirs)
        long = np.array([len(text) >= SHORT for text in theirs], dtype=bool)
        same = np.array([p >= 0 and ours[p] == text for p, text in zip(place, theirs, strict=True)], dtype=bool)
        return (long & (value >= self.near)) | (same & np.array([bool(t.strip()) for t in theirs], dtype=bool)), place

    def self_test(self, context: Context, library: Library, ours: list[str]) -> dict[str, Any]:
        """Plant copies in other case and marks, with words changed, and with words added; and texts of mixed words."""
        generator = context.generator(self.name, "plant")
        long = [i for i, text in enumerate(ours) if len(text) >= 60]
        if len(long) < 5:
            return Planting((), 0, 0, note="Too few texts of 60 letters or more to plant copies.").to_dict()
        chosen = [int(i) for i in generator.permutation(long)[: self.planted]]
        words = [word for i in chosen for word in ours[i].split()]
        kinds = []
        for name, change in EDITS.items():
            made = [change(ours[i], words, generator) for i in chosen]
            hit, _ = self.copies(library, ours, made)
            kinds.append(Kind(name, len(chosen), int(hit.sum())))
        mixed = [" ".join(generator.choice(words, size=max(8, len(ours[i].split())))) for i in chosen * 5]
        false = int(self.copies(library, ours, mixed)[0].sum())
        return Planting(tuple(kinds), len(mixed), false, "texts of mixed words").to_dict()

    def _natural(self, context: Context, library: Library, ours: list[str]) -> float:
        """Return the share of texts for development that are nearly the same as another one."""
        some = context.generator(self.name, "natural").permutation(len(ours))[:500]
        value, _ = library.nearest([ours[int(i)] for i in some], apart=some)
        return float((value >= self.near).mean()) if len(some) else 0.0


def texts_of(table: Table, index: Ints) -> list[str]:
    """Return the texts of rows, one for each row: its columns of text, one after the other.

    Shapes: row numbers (n,).
    """
    cells = table.rows.text
    return [] if cells is None else ["\n".join(cell or "" for cell in row) for row in cells[index]]


def _restyled(text: str, words: list[str], generator: np.random.Generator) -> str:
    return re.sub(r"[.,;:!?]", " ", text).upper()


def _reworded(text: str, words: list[str], generator: np.random.Generator) -> str:
    """Change one word in thirty, at least one."""
    own = text.split()
    for place in generator.choice(len(own), size=max(1, len(own) // 30), replace=False):
        own[place] = words[int(generator.integers(len(words)))]
    return " ".join(own)


def _extended(text: str, words: list[str], generator: np.random.Generator) -> str:
    """Add a tenth of words at the end, at least one."""
    return f"{text} {' '.join(generator.choice(words, size=max(1, len(text.split()) // 10)))}"


EDITS = {
    "copies in other case and marks": _restyled,
    "copies with a word in thirty changed": _reworded,
    "copies with a tenth added": _extended,
}
