"""Preprocessing as data: the arrays that turn raw rows into what a net takes, and their ONNX nodes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from temperance.deployment.sketch import Sketch
from temperance.records.errors import BundleError
from temperance.records.schema import MISSING, Schema

if TYPE_CHECKING:
    from temperance.data.blocks import Block
    from temperance.data.preprocess import Preprocess

SEPARATOR = "\x1f"
FARTHEST, STEEPEST = 1e30, 1e6  # as in data.preprocess


Words = tuple[tuple[tuple[str, int], ...], ...]


@dataclass(frozen=True, eq=False)
class Encoding:
    """Arrays fitted on training rows: those of ``data.Preprocess``, with categories as words.

    numeric: d = 0 where raw is NaN or infinite, else clip(raw − centre, ±1e30), in float64, then float32;
    z = clip(d · scale, ±1e6); z / sqrt(1 + (z / clip)²); then one column (0 or 1) per entry of ``flagged``.
    Behind them the numbers of each block, which are inputs of the graph.
    With ``largest``: whole numbers, z rounded where that is in 0 … largest, else 0, int64.
    categorical: the number of the word in its column, 0 for any other; the empty word is "missing".
    image: ``image_shape`` (h, w, c) uint8 → (b, c, h, w) float32, (pixel − mean) / deviation.

    Shapes: centre, scale (n,) · flagged (q,) int64, columns of ``numeric`` · words m × pairs (word, number) · mean,
    deviation (c,).
    """

    centre: NDArray[np.float64]
    scale: NDArray[np.float32]
    flagged: NDArray[np.int64]
    words: Words = ()
    clip: float = 3.0
    mean: NDArray[np.float32] | None = None
    deviation: NDArray[np.float32] | None = None
    image_shape: tuple[int, int, int] | None = None
    largest: int | None = None
    blocks: tuple[Block, ...] = ()

    @classmethod
    def of(cls, fitted: Preprocess, schema: Schema) -> Self:
        """Take over a fitted ``data.Preprocess``."""
        words = []
        for column, codes in zip(schema.categorical, fitted.codes, strict=True):
            numbers = [*zip(column.vocabulary, codes.tolist(), strict=False), ("", int(codes[MISSING]))]
            words.append(tuple((word, number) for word, number in numbers if number))
        return cls(
            fitted.center, fitted.scale, fitted.flagged, tuple(words), fitted.clip, fitted.image_mean, fitted.image_sd,
            schema.image_shape, fitted.largest, fitted.blocks,
        )  # fmt: skip

    @property
    def width(self) -> int:
        """Count of numeric features: columns, missing flags and the blocks' numbers."""
        return len(self.centre) + len(self.flagged) + sum(block.width for block in self.blocks)


def draw_numeric(sketch: Sketch, encoding: Encoding) -> str:
    """Add the numeric features (b, n + q + blocks) float32, or (b, n) int64 where they are whole."""
    return sketch.once(("numeric", id(encoding)), lambda: _with_blocks(sketch, encoding))


def draw_words(sketch: Sketch, words: Words, *, default: int = 0) -> str:
    """Add the category look-up: strings (b, m) → numbers (b, m) int64; ``default`` for any other string.

    One node looks up all columns: each string is first joined to its column's number, so the same word in two columns
    stays two words. This took 5 µs for 8 columns, one look-up node per column 10 µs.
    """
    return sketch.once(("words", words, default), lambda: _words(sketch, words, default))


def positions(vocabulary: tuple[tuple[str, ...], ...]) -> Words:
    """Return words numbered by their position + 1."""
    return tuple(tuple((word, i + 1) for i, word in enumerate(column)) for column in vocabulary)


def draw_image(sketch: Sketch, encoding: Encoding) -> str:
    """Add the image features (b, c, h, w) float32."""
    return sketch.once(("image", id(encoding)), lambda: _image(sketch, encoding))


def _with_blocks(sketch: Sketch, encoding: Encoding) -> str:
    parts = [_numeric(sketch, encoding)] if len(encoding.centre) else []
    parts += [sketch.block(block) for block in encoding.blocks]
    return parts[0] if len(parts) == 1 else sketch.add("Concat", *parts, axis=1)


def _numeric(sketch: Sketch, encoding: Encoding) -> str:
    if len(encoding.centre) != len(sketch.schema.numeric):
        raise BundleError(
            f"the preprocessing has {len(encoding.centre)} numeric columns",
            f"the schema has {len(sketch.schema.numeric)}",
        )
    absent = sketch.add("IsNaN", sketch.add("Sub", "numeric", "numeric"))  # ∞ − ∞ is NaN too
    distance = sketch.add("Sub", "numeric", sketch.constant(encoding.centre, np.float64))
    bounds = sketch.constant(-FARTHEST, np.float64), sketch.constant(FARTHEST, np.float64)
    known = sketch.add("Where", absent, sketch.constant(0.0, np.float64), sketch.add("Clip", distance, *bounds))
    scaled = sketch.add("Mul", sketch.cast(known, np.float32), sketch.constant(encoding.scale, np.float32))
    bounds = sketch.constant(-STEEPEST, np.float32), sketch.constant(STEEPEST, np.float32)
    if encoding.largest is not None:
        return _whole(sketch, sketch.add("Clip", scaled, *bounds), encoding.largest)
    features = _smooth_clip(sketch, sketch.add("Clip", scaled, *bounds), encoding.clip)
    if not len(encoding.flagged):
        return features
    flags = absent
    if not np.array_equal(encoding.flagged, np.arange(len(encoding.centre))):
        flags = sketch.add("Gather", absent, sketch.constant(encoding.flagged, np.int64), axis=1)
    return sketch.add("Concat", features, sketch.cast(flags, np.float32), axis=1)


def _whole(sketch: Sketch, name: str, largest: int) -> str:
    near = sketch.add("Round", name)
    low, high = (sketch.constant(value, np.float32) for value in (0.0, float(largest)))
    inside = sketch.add("And", sketch.add("GreaterOrEqual", near, low), sketch.add("LessOrEqual", near, high))
    return sketch.cast(sketch.add("Where", inside, near, low), np.int64)


def _smooth_clip(sketch: Sketch, name: str, clip: float) -> str:
    part = sketch.add("Div", name, sketch.constant(clip, np.float32))
    root = sketch.add("Sqrt", sketch.add("Add", sketch.add("Mul", part, part), sketch.constant(1.0, np.float32)))
    return sketch.add("Div", name, root)


def _words(sketch: Sketch, words: Words, default: int) -> str:
    if len(words) != len(sketch.schema.categorical):
        raise BundleError(
            f"the preprocessing has {len(words)} categorical columns",
            f"the schema has {len(sketch.schema.categorical)}",
        )
    prefixes = np.array([[f"{j}{SEPARATOR}" for j in range(len(words))]], dtype=object)
    joined = sketch.add("StringConcat", sketch.constant(prefixes), "categorical")
    keys = [f"{j}{SEPARATOR}{word}" for j, column in enumerate(words) for word, _ in column] or [SEPARATOR]
    values = [value for column in words for _, value in column] or [default]
    attributes: dict[str, Any] = {"keys_strings": keys, "values_int64s": values, "default_int64": default}
    return sketch.add("LabelEncoder", joined, domain="ai.onnx.ml", **attributes)


def _image(sketch: Sketch, encoding: Encoding) -> str:
    if encoding.mean is None or encoding.deviation is None:
        raise BundleError("the preprocessing has no mean and deviation of pixels", "an image model needs both")
    pixels = sketch.cast(sketch.add("Transpose", "image", perm=[0, 3, 1, 2]), np.float32)
    mean = sketch.constant(np.reshape(encoding.mean, (1, -1, 1, 1)), np.float32)
    deviation = sketch.constant(np.reshape(encoding.deviation, (1, -1, 1, 1)), np.float32)
    return sketch.add("Div", sketch.add("Sub", pixels, mean), deviation)
