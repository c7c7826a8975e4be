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
from temperance.audit.features import Matrix, thumbnails
from temperance.audit.fingerprints import fingerprints, partner
from temperance.records.finding import Finding

Images = NDArray[np.uint8]


@CHECKS.add
@dataclass(frozen=True)
class ImageDuplicates(Check):
    """Correlate standardised 16 × 16 grey thumbnails; a query is also tried mirrored and moved by ``shift`` pixels.

    ``near``: correlation of a copy. It is raised step by step until at most ``natural`` of a random split of the
    development images exceed it, because simple pictures are alike by nature.
    """

    near: float = 0.99
    possible: float = 0.98
    natural: float = 0.03
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
        "Copies that were cropped, turned or moved far, changed copies of nearly plain images, and other photos of "
        "one thing."
    )
    references: ClassVar[tuple[str, ...]] = ("Barz and Denzler (2020), arXiv:1902.00423",)

    def unsuited(self, context: Context) -> str:
        """Tables have their own check."""
        if not context.is_images:
            return "the data has no images."
        return "" if len(context.testing[1]) else "there are no test rows."

    def estimate(self, context: Context, rows: int) -> float:
        """Return seconds: hashes, thumbnails, and ten variants of each query against the sample."""
        h, w, c = context.schema.image_shape or (32, 32, 3)
        queries = min(self._queries(rows), len(context.testing[1])) + min(500, rows)
        every = len(context.table) + len(context.testing[1])
        return 0.4 + every * (1.5e-6 + h * w * c * 1.2e-9) + rows * h * w * c * 6e-9 + 10 * queries * rows * 3.5e-8

    def inspect(self, context: Context) -> Finding:
        """Compare test with development images, exactly and by thumbnail."""
        table, test = context.testing
        ours, sample = context.development, context.sample(self.name)
        hashes = context.once("hashes", lambda: fingerprints(context.table.rows))
        theirs = hashes if table is context.table else fingerprints(table.rows)
        exact = partner(theirs[test], hashes[ours])
        queried = context.sample(f"{self.name} test", self._queries(context.limit), test)
        place = np.argsort(test)[np.searchsorted(np.sort(test), queried)]
        images = _images(context.table.rows.images, sample)
        limit, natural = self._calibrated(context, images)
        reference = self._standard(images)
        score, best = self._best(_images(table.rows.images, queried), reference)
        partners = np.where(exact >= 0, ours[exact], -1)
        near = (score >= limit) & (partners[place] < 0)
        partners[place] = np.where(near, sample[best], partners[place])
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
            "possible": int(((score >= self.possible) & ~near).sum()),
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
            confidence=self._self_test(context, images, reference, limit, natural),
            thresholds={"near": limit, "possible": self.possible, "natural": self.natural},
            action=action if k else (),
        )

    @staticmethod
    def _queries(limit: int | None) -> int:
        """Return how many test images are compared by thumbnail."""
        return max(50, min(1000, (limit or 10_000) // 8))

    def _margin(self, images: Images) -> int:
        return self.shift if min(images.shape[1:3]) >= 8 * self.shift else 0

    def _standard(self, images: Images, *, dy: int = 0, dx: int = 0) -> Matrix:
        """Return (b, 256) thumbnails with mean 0 and length 1; flat images become 0."""
        small = thumbnails(images, margin=self._margin(images), dy=dy, dx=dx).reshape(len(images), -1)
        small -= small.mean(axis=1, keepdims=True)
        length = np.linalg.norm(small, axis=1, keepdims=True)
        return np.where(length > 1.0, small / np.maximum(length, 1.0), 0.0).astype(np.float32)

    def _best(
        self, queries: Images, reference: Matrix, *, mine: Index | None = None
    ) -> tuple[NDArray[np.float64], Index]:
        """Return the best correlation of each query over its variants, and the image; never itself (``mine``)."""
        moves = (-self.shift, 0, self.shift) if self._margin(queries) else (0,)
        variants = [self._standard(queries, dy=dy, dx=dx) for dy in moves for dx in moves]
        variants.append(self._standard(queries[:, :, ::-1]))
        score, best = np.full(len(queries), -1.0), np.zeros(len(queries), dtype=np.int64)
        for variant in variants:
            for start in range(0, len(queries), 256):
                block = variant[start : start + 256] @ reference.T
                if mine is not None:
                    block[np.arange(len(block)), mine[start : start + 256]] = -1.0
                place = block.argmax(axis=1)
                value = block[np.arange(len(block)), place]
                better = value > score[start : start + 256]
                score[start : start + 256][better] = value[better]
                best[start : start + 256][better] = place[better]
        return score, best

    def _calibrated(self, context: Context, images: Images) -> tuple[float, float]:
        """Return the correlation limit, and the share of development images with another one above it."""
        chosen = context.generator(self.name).permutation(len(images))[:500]
        if len(images) < 2:
            return self.near, 0.0
        score, _ = self._best(images[chosen], self._standard(images), mine=chosen)
        for limit in (self.near, 0.995, 0.998, 0.9995):
            rate = float((score >= limit).mean())
            if rate <= self.natural:
                break
        return limit, rate

    def _self_test(
        self, context: Context, images: Images, reference: Matrix, limit: float, natural: float
    ) -> dict[str, Any]:
        generator = context.generator(self.name, "plant")
        chosen = generator.choice(len(images), size=min(self.planted, len(images)), replace=False)
        found = {}
        for kind, changed in edits(images[chosen], generator, shift=self.shift if self._margin(images) else 0).items():
            score, best = self._best(changed, reference)
            found[kind] = int(((score >= limit) & (best == chosen)).sum())
        parts = ", ".join(f"{count} {kind}" for kind, count in found.items())
        sentence = f"We hid {len(chosen)} changed copies of each kind among your test images. Found: {parts}."
        return {
            "self_test": sentence,
            "planted": len(chosen) * len(found),
            "found": sum(found.values()),
            "false_alarms": round(1000 * natural),
            "false_alarms_of": 1000,
        }


def edits(images: Images, generator: np.random.Generator, *, shift: int) -> dict[str, Images]:
    """Return changed copies by kind: noise, half-size and back, mirrored, and moved by ``shift`` pixels."""
    noise = generator.normal(0.0, 0.03 * 255, images.shape)
    out = {
        "noisy": np.clip(images + noise, 0, 255).astype(np.uint8),
        "mirrored": images[:, :, ::-1],
    }
    if min(images.shape[1:3]) >= 32:
        out["half-size"] = np.stack([_half_size(image) for image in images])
    if shift:
        out["moved"] = np.roll(images, (shift, shift), axis=(1, 2))
    return out


def _half_size(image: Images) -> Images:
    """Return an image made half as large and large again."""
    from PIL import Image

    h, w, channels = image.shape
    planes = [Image.fromarray(np.ascontiguousarray(image[:, :, c])) for c in range(channels)]
    box, smooth = Image.Resampling.BOX, Image.Resampling.BILINEAR
    return np.stack([np.asarray(p.resize((w // 2, h // 2), box).resize((w, h), smooth)) for p in planes], axis=2)


def _images(images: Images | None, index: Index) -> Images:
    return np.zeros((0, 1, 1, 1), dtype=np.uint8) if images is None else np.asarray(images[index])
