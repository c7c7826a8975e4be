"""Pictures that are nearly alike, also moved, mirrored, turned or cropped: correlation of small grey pictures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from temperance.audit.features import Matrix, thumbnails

Images = NDArray[np.uint8]
Ints = NDArray[np.int64]
LIMITS = (0.99, 0.995, 0.998, 0.9995)  # tried from the first on, until few pictures are that alike by nature
CROPS = (0.9, 0.8)  # sides of a crop, of 1
GROUPS = ("moved", "turned", "cropped")
OFF = 2.0  # no correlation reaches it: the group is switched off


@dataclass(frozen=True, eq=False)
class Match:
    """Per picture: the best correlation, its partner in the reference, and whether it is a copy. Shapes (q,)."""

    score: NDArray[np.float64]
    partner: Ints
    is_copy: NDArray[np.bool_]


@dataclass(eq=False)
class Matcher:
    """Compares pictures with those of a reference, in three groups of changes, each with a limit of its own.

    *Moved*: as it is, mirrored, or by ``shift`` pixels. *Turned*: by quarter turns, also mirrored. *Cropped*: a part of
    0.9 or 0.8 of its sides, at the middle or a corner, of either picture. A group's limit is the first of ``LIMITS``
    that at most ``natural`` of the reference's own pictures exceed; where none is, the group is off.
    """

    images: Images
    shift: int
    natural: float
    generator: np.random.Generator
    limits: dict[str, float] = field(default_factory=dict)
    rates: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Keep the small pictures of the reference, and calibrate."""
        self.margin = self.shift if len(self.images) and min(self.images.shape[1:3]) >= 8 * self.shift else 0
        self.whole, self.inner = standard(self.images), standard(self.images, margin=self.margin)
        chosen = self.generator.permutation(len(self.images))[:500]
        self.tried = len(chosen)
        for group in GROUPS:
            score = self._best(group, self.images[chosen], mine=chosen)[0] if len(self.images) > 1 else np.zeros(0)
            rates = [float((score >= limit).mean()) if len(score) else 0.0 for limit in LIMITS]
            fits = [i for i, rate in enumerate(rates) if rate <= self.natural]
            # a picture that is alike without a change stays worth telling: only the first group is never off
            self.limits[group] = LIMITS[fits[0]] if fits else LIMITS[-1] if group == "moved" else OFF
            self.rates[group] = rates[fits[0]] if fits else rates[-1] if group == "moved" else 0.0

    @property
    def natural_rate(self) -> float:
        """Share of the reference's own pictures that are that alike by nature, at most."""
        return min(1.0, sum(self.rates.values()))

    def match(self, queries: Images) -> Match:
        """Compare pictures with the reference.

        Shapes: (q, h, w, c).
        """
        score, partner = np.full(len(queries), -1.0), np.zeros(len(queries), dtype=np.int64)
        copied = np.zeros(len(queries), dtype=bool)
        for group in GROUPS:
            if self.limits[group] >= OFF:
                continue
            value, place = self._best(group, queries)
            better = ((value >= self.limits[group]) & ~copied) | (~copied & (value > score) & (group == "moved"))
            score[better], partner[better] = value[better], place[better]
            copied |= value >= self.limits[group]
        return Match(score, partner, copied)

    def _best(self, group: str, queries: Images, mine: Ints | None = None) -> tuple[NDArray[np.float64], Ints]:
        """Return the best correlation over a group's changes, and its picture; never itself (``mine``)."""
        score, best = np.full(len(queries), -1.0), np.zeros(len(queries), dtype=np.int64)
        for small, reference in self._pairs(group, queries):
            for start in range(0, len(queries), 256):
                block = small[start : start + 256] @ reference.T
                if mine is not None:
                    block[np.arange(len(block)), mine[start : start + 256]] = -1.0
                place = block.argmax(axis=1)
                value = block[np.arange(len(block)), place]
                better = value > score[start : start + 256]
                score[start : start + 256][better] = value[better]
                best[start : start + 256][better] = place[better]
        return score, best

    def _pairs(self, group: str, queries: Images) -> Iterator[tuple[Matrix, Matrix]]:
        """Yield small pictures of the queries and of the reference that are compared."""
        if group == "moved":
            moves = (-self.shift, 0, self.shift) if self.margin else (0,)
            for dy in moves:
                for dx in moves:
                    yield standard(queries, margin=self.margin, dy=dy, dx=dx), self.inner
            yield standard(queries[:, :, ::-1], margin=self.margin), self.inner
        elif group == "turned":
            for turned in turns(queries):
                yield standard(turned), self.whole
        else:
            small = standard(queries)
            for part in crops(self.images):
                yield small, standard(part)
            for part in crops(queries):
                yield standard(part), self.whole


def standard(images: Images, *, margin: int = 0, dy: int = 0, dx: int = 0) -> Matrix:
    """Return (b, 256) small grey pictures with mean 0 and length 1; flat ones become 0."""
    small = thumbnails(images, margin=margin, dy=dy, dx=dx).reshape(len(images), -1)
    small -= small.mean(axis=1, keepdims=True)
    length = np.linalg.norm(small, axis=1, keepdims=True)
    return np.where(length > 1.0, small / np.maximum(length, 1.0), 0.0).astype(np.float32)


def turns(images: Images) -> Iterator[Images]:
    """Yield pictures turned by quarter turns and mirrored so; those that are no square by half a turn only."""
    square = images.shape[1] == images.shape[2]
    for quarters in (1, 2, 3) if square else (2,):
        turned = np.rot90(images, quarters, axes=(1, 2))
        yield turned
        yield turned[:, :, ::-1]


def crops(images: Images) -> Iterator[Images]:
    """Yield parts of pictures: of each side in ``CROPS``, the middle and the four corners."""
    h, w = images.shape[1:3]
    for side in CROPS:
        tall, wide = max(1, round(side * h)), max(1, round(side * w))
        down, right = h - tall, w - wide
        for y, x in ((down // 2, right // 2), (0, 0), (0, right), (down, 0), (down, right)):
            yield images[:, y : y + tall, x : x + wide]


def edits(images: Images, generator: np.random.Generator, *, shift: int) -> dict[str, Images]:
    """Return changed copies by kind: noisy, mirrored, half-size and back, moved, turned, cropped by a tenth."""
    noise = generator.normal(0.0, 0.03 * 255, images.shape)
    out = {
        "noisy": np.clip(images + noise, 0, 255).astype(np.uint8),
        "mirrored": images[:, :, ::-1],
    }
    if min(images.shape[1:3]) >= 32:
        out["half-size"] = np.stack([_resized(image, 0.5) for image in images])
    if shift:
        out["moved"] = np.roll(images, (shift, shift), axis=(1, 2))
    if images.shape[1] == images.shape[2]:
        out["turned"] = np.rot90(images, int(generator.integers(1, 4)), axes=(1, 2))
    if min(images.shape[1:3]) >= 16:
        out["cropped"] = np.stack([_cropped(image, 0.9, generator) for image in images])
    return out


def _resized(image: Images, by: float) -> Images:
    """Return an image made smaller and as large again."""
    h, w, _ = image.shape
    return _scaled(_scaled(image, max(1, round(h * by)), max(1, round(w * by)), smooth=False), h, w, smooth=True)


def _cropped(image: Images, side: float, generator: np.random.Generator) -> Images:
    """Return a part of an image, anywhere in it, made as large as it was."""
    h, w, _ = image.shape
    tall, wide = round(side * h), round(side * w)
    y, x = int(generator.integers(h - tall + 1)), int(generator.integers(w - wide + 1))
    return _scaled(image[y : y + tall, x : x + wide], h, w, smooth=True)


def _scaled(image: Images, h: int, w: int, *, smooth: bool) -> Images:
    from PIL import Image

    how = Image.Resampling.BILINEAR if smooth else Image.Resampling.BOX
    planes = [Image.fromarray(np.ascontiguousarray(image[:, :, c])) for c in range(image.shape[2])]
    return np.stack([np.asarray(plane.resize((w, h), how)) for plane in planes], axis=2)
