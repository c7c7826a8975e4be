"""Rows of another file, such as a public test set, that are also among the rows the model learns from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from temperance.audit.base import CHECKS, Check, count_of
from temperance.audit.context import Context, Index
from temperance.audit.duplicates import Duplicates, Finder
from temperance.audit.fingerprints import fingerprints, partner
from temperance.audit.image_duplicates import ImageDuplicates, images_of
from temperance.audit.minhash import Library
from temperance.audit.planting import Kind, Planting
from temperance.audit.text_duplicates import TextDuplicates, texts_of
from temperance.records.finding import Finding
from temperance.records.table import Table


@CHECKS.add
@dataclass(frozen=True)
class Contamination(Check):
    """Compare every row with those of ``--against FILE``: equal ones on all rows, near ones on a sample.

    Near copies are found as between training and test rows: by distance and all columns but one for tables, by small
    pictures for images, by groups of letters for texts.
    """

    serious: float = 0.01

    name: ClassVar[str] = "contamination"
    label: ClassVar[str] = "copies in another file"
    rank: ClassVar[int] = 23
    sizes: ClassVar[tuple[int | None, ...]] = (10_000, 4_000, 1_500)
    why: ClassVar[str] = "A model that was trained on these rows cannot be tested on that file."
    cannot_see: ClassVar[str] = "Rows about the same person or thing whose values differ in several columns."
    references: ClassVar[tuple[str, ...]] = ("Barz and Denzler (2020), arXiv:1902.00423",)

    def unsuited(self, context: Context) -> str:
        """Another file is needed."""
        if context.against is None:
            return "no other file was given. Name one with --against FILE."
        return "" if len(context.against) else "the other file has no rows."

    def estimate(self, context: Context, rows: int) -> float:
        """Return seconds: those of the check for copies in the test rows."""
        check: Check = ImageDuplicates() if context.is_images else Duplicates()
        return check.estimate(context, rows) + (1.2e-3 * rows if context.raw is not None else 0.0)

    def inspect(self, context: Context) -> Finding:
        """Look up the rows of the other file."""
        other = context.against
        if other is None:
            raise ValueError("without another file the check does not run")
        own = context.raw or context.table
        every = np.arange(len(own))
        exact = partner(fingerprints(other.rows), fingerprints(own.rows))
        sample = context.sample(self.name, index=every)
        queried = context.sample(f"{self.name} other", max(200, len(sample) // 4), np.arange(len(other)))
        near, place, confidence = self._near(context, own, other, sample, queried)
        partners = np.where(exact >= 0, exact, -1)
        fresh = near & (partners[queried] < 0)
        partners[queried] = np.where(fresh, sample[place], partners[queried])
        hit = partners >= 0
        k = int(hit.sum())
        learned = np.setdiff1d(partners[hit], context.roles.test) if context.test is None else partners[hit]
        evidence = {
            "n": len(other),
            "k": k,
            "exact": int((exact >= 0).sum()),
            "near": int(fresh.sum()),
            "compared_for_near": [len(queried), len(sample)],
            "rows": partners[hit][:1000],
            "examples": [{"other_row": int(i), "row": int(partners[i])} for i in np.flatnonzero(hit)[:20]],
            "rows_for_learning": len(np.unique(learned)),
        }
        fields: dict[str, Any] = {
            "evidence": evidence, "confidence": confidence, "thresholds": {"serious": self.serious},
        }  # fmt: skip
        if not k:
            return self.finding(
                "no_problem_found", f"None of {len(other):,} rows of the other file is in it.", **fields
            )
        verb = "is also in this data" if k == 1 else "are also in this data"
        action = (
            "Take these rows out of this file, or do not test on the other one.",
            "Ask where both files come from: a shared source holds more copies than those found.",
        )
        state = "fix_before_use" if k >= self.serious * len(other) else "look_at_this"
        title = f"{count_of(k, 'row')} of {len(other):,} in the other file {verb}."
        return self.finding(state, title, action=action, **fields)  # type: ignore[arg-type]

    def _near(
        self, context: Context, own: Table, other: Table, sample: Index, queried: Index
    ) -> tuple[NDArray[np.bool_], Index, dict[str, Any]]:
        """Return which of the queried rows are near copies, the place of each original, and the self-test."""
        if context.is_images:
            check = ImageDuplicates()
            matcher = check.matcher(context, sample)
            match = matcher.match(images_of(other.rows.images, queried))
            return match.is_copy, match.partner, check.self_test(context, matcher)
        if own.schema.text:
            texts, ours = TextDuplicates(), texts_of(own, sample)
            library = Library.of(ours)
            copied, place = texts.copies(library, ours, texts_of(other, queried))
            return copied, place, texts.self_test(context, library, ours)
        if own.schema.series:  # series have no near copies here: only equal ones are looked for
            chosen = context.generator(self.name, "plant").permutation(len(own))[:30]
            seen = partner(fingerprints(own.rows.take(chosen)), fingerprints(own.rows)) >= 0
            proof = Planting((Kind("equal series", len(chosen), int(seen.sum())),), 0, 0)
            return np.zeros(len(queried), dtype=bool), np.zeros(len(queried), dtype=np.int64), proof.to_dict()
        finder = Finder(Duplicates(), context, sample)
        found = finder.match(other.rows.take(queried))
        return found.copies, np.maximum(found.partners, 0), finder.self_test()
