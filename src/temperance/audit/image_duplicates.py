"""Copies of test images among the images that the model learns from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from temperance.audit.base import CHECKS, Check, count_of
from temperance.audit.context import Context, Index
from temperance.audit.copies import (
    effect_of_copies,
    other_answers,
    sentence_of_answers,
    sentence_of_effect,
    state_of_copies,
    why_of_copies,
)
from temperance.audit.fingerprints import fingerprints, partner
from temperance.audit.image_matcher import Matcher, edits
from temperance.audit.planting import Kind, Planting
from temperance.records.finding import Finding

Images = NDArray[np.uint8]


@CHECKS.add
@dataclass(frozen=True)
class ImageDuplicates(Check):
    """Correlate standardised 16 × 16 grey thumbnails, moved, mirrored, turned and cropped (``Matcher``).

    ``natural``: share of the development images that may be that alike by nature, for each of the three groups.
    """

    possible: float = 0.98
    natural: float = 0.01
    shift: int = 2
    planted: int = 20

    name: ClassVar[str] = "image_duplicates"
    label: ClassVar[str] = "copies between training and test images"
    rank: ClassVar[int] = 21
    sizes: ClassVar[tuple[int | None, ...]] = (10_000, 4_000, 1_500)
    why: ClassVar[str] = (
        "The model has already seen these images, so its test score looks better than it will be in use."
    )
    cannot_see: ClassVar[str] = (
        "Copies that were cropped by more than a fifth or turned a little, changed copies of nearly plain images, and "
        "other photos of one thing."
    )
    references: ClassVar[tuple[str, ...]] = ("Barz and Denzler (2020), arXiv:1902.00423",)

    def unsuited(self, context: Context) -> str:
        """Tables have their own check."""
        if not context.is_images:
            return "the data has no images."
        return "" if len(context.testing[1]) else "there are no test rows."

    def estimate(self, context: Context, rows: int) -> float:
        """Return seconds: hashes, thumbnails, and 37 variants of each query against the sample."""
        h, w, c = context.schema.image_shape or (32, 32, 3)
        queries = min(self._queries(rows), len(context.testing[1])) + min(500, rows)
        every = len(context.table) + len(context.testing[1])
        return 0.4 + every * (1.5e-6 + h * w * c * 1.2e-9) + rows * h * w * c * 4e-8 + 37 * queries * rows * 3.5e-8

    def inspect(self, context: Context) -> Finding:
        """Compare test with development images, exactly and by thumbnail."""
        table, test = context.testing
        ours, sample = context.development, context.sample(self.name)
        hashes = context.once("hashes", lambda: fingerprints(context.table.rows))
        theirs = hashes if table is context.table else fingerprints(table.rows)
        exact = partner(theirs[test], hashes[ours])
        queried = context.sample(f"{self.name} test", self._queries(context.limit), test)
        place = np.argsort(test)[np.searchsorted(np.sort(test), queried)]
        matcher = self.matcher(context, sample)
        natural = matcher.natural_rate
        found = matcher.match(images_of(table.rows.images, queried))
        partners = np.where(exact >= 0, ours[exact], -1)
        near = found.is_copy & (partners[place] < 0)
        partners[place] = np.where(near, sample[found.partner], partners[place])
        copied = partners >= 0
        k = int(copied.sum())
        effect = effect_of_copies(context, table, test, copied, partners[copied], limit=1500) if k else {}
        other = other_answers(context, table, test, copied, partners)
        evidence = {
            "n": len(test),
            "k": k,
            "other_answers": other,
            "rows": test[copied][:1000],
            "examples": [
                {"test_row": int(test[i]), "development_row": int(partners[i])} for i in np.flatnonzero(copied)[:20]
            ],
            "exact": int((exact >= 0).sum()),
            "near": int(near.sum()),
            "possible": int(((found.score >= self.possible) & ~near).sum()),
            "compared_for_near": [len(queried), len(sample)],
            "natural_rate": natural,
        }
        verb = "is a copy of an image" if k == 1 else "are copies of images"
        title = f"{count_of(k, 'test image')} of {len(test):,} {verb} that the model learns from."
        action = (
            "Read the score without these images as the honest one.",
            "Remove the copies on one side of the split.",
        )
        return self.finding(
            state_of_copies(k, k / len(test), natural, effect),
            title + sentence_of_answers(k, other) + sentence_of_effect(effect)
            if k
            else "No test image is a copy of one that the model learns from.",
            why=why_of_copies(self.why, k, other),
            evidence=evidence,
            effect=effect,
            confidence=self.self_test(context, matcher),
            thresholds={**matcher.limits, "possible": self.possible, "natural": self.natural},
            action=action if k else (),
        )

    @staticmethod
    def _queries(limit: int | None) -> int:
        """Return how many test images are compared by thumbnail."""
        return max(50, min(1000, (limit or 10_000) // 8))

    def matcher(self, context: Context, sample: Index) -> Matcher:
        """Return what compares images with those of ``sample``.

        Shapes: row numbers (n,).
        """
        images = images_of(context.table.rows.images, sample)
        return Matcher(images, self.shift, self.natural, context.generator(self.name))

    def self_test(self, context: Context, matcher: Matcher) -> dict[str, Any]:
        """Plant changed copies of each kind."""
        images = matcher.images
        generator = context.generator(self.name, "plant")
        chosen = generator.choice(len(images), size=min(self.planted, len(images)), replace=False)
        found = {}
        for kind, changed in edits(images[chosen], generator, shift=self.shift if matcher.margin else 0).items():
            seen = matcher.match(changed)
            found[kind] = int((seen.is_copy & (seen.partner == chosen)).sum())
        kinds = tuple(Kind(f"{kind} copies", len(chosen), count) for kind, count in found.items())
        return Planting(kinds, matcher.tried, round(matcher.tried * matcher.natural_rate), "other images").to_dict()


def images_of(images: Images | None, index: Index) -> Images:
    """Return the images of rows, none where there are no images.

    Shapes: (b, h, w, c) and row numbers (n,).
    """
    return np.zeros((0, 1, 1, 1), dtype=np.uint8) if images is None else np.asarray(images[index])
