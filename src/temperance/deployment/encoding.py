"""Preprocessing as data: the arrays that turn raw rows into what a net takes, and their ONNX nodes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from temperance.deployment.sketch import Sketch
from temperance.records.errors import BundleError

SEPARATOR = "\x1f"


@dataclass(frozen=True, eq=False)
class Encoding:
    """Arrays fitted on training rows.

    numeric: x = float32(where(missing, fill, raw) − centre) / scale, in float64 up to the difference;
    then x / sqrt(1 + (x / clip)²), so none is larger than ``clip``; then one column (0 or 1) per entry of ``flagged``.
    categorical: position in the vocabulary + 1; 0 = missing, unseen or rare.
    image: ``image_shape`` (h, w, c) uint8 → (b, c, h, w) float32, (pixel / 255 − mean) / deviation.

    Shapes: fill, centre, scale (n,) · flagged (q,) int64, columns of ``numeric`` · mean, deviation (c,).
    """

    fill: NDArray[np.float64]
    centre: NDArray[np.float64]
    scale: NDArray[np.float32]
    flagged: NDArray[np.int64]
    vocabulary: tuple[tuple[str, ...], ...] = ()
    clip: float = 3.0
    mean: NDArray[np.float32] | None = None
    deviation: NDArray[np.float32] | None = None
    image_shape: tuple[int, int, int] | None = None

    @property
    def numeric_width(self) -> int:
        """Count of numeric features: columns and missing flags."""
        return len(self.fill) + len(self.flagged)

    @property
    def cardinalities(self) -> tuple[int, ...]:
        """Count of codes per categorical column, with 0 for missing."""
        return tuple(len(words) + 1 for words in self.vocabulary)


def draw_numeric(sketch: Sketch, encoding: Encoding) -> str:
    """Add the numeric features (b, n + q) float32."""
    return sketch.once(("numeric", id(encoding)), lambda: _numeric(sketch, encoding))


def draw_categorical(sketch: Sketch, vocabulary: tuple[tuple[str, ...], ...]) -> str:
    """Add the category look-up: strings (b, m) → positions + 1 (b, m) int64; 0 for any other string.

    One node looks up all columns: each string is first joined to its column's number, so the same word in two columns
    stays two words. This took 5 µs for 8 columns, one look-up node per column 10 µs.
    """
    words = tuple(tuple((word, i + 1) for i, word in enumerate(column)) for column in vocabulary)
    return draw_lookup(sketch, words, default=0)


def draw_lookup(sketch: Sketch, words: tuple[tuple[tuple[str, int], ...], ...], *, default: int) -> str:
    """Add a look-up with free values: per column pairs (word, number); strings (b, m) → numbers (b, m) int64."""
    return sketch.once(("lookup", words, default), lambda: _lookup(sketch, words, default))


def draw_image(sketch: Sketch, encoding: Encoding) -> str:
    """Add the image features (b, c, h, w) float32."""
    return sketch.once(("image", id(encoding)), lambda: _image(sketch, encoding))


def _numeric(sketch: Sketch, encoding: Encoding) -> str:
    if len(encoding.fill) != len(sketch.schema.numeric):
        raise BundleError(
            f"the preprocessing has {len(encoding.fill)} numeric columns",
            f"the schema has {len(sketch.schema.numeric)}",
        )
    missing = sketch.add("IsNaN", "numeric")
    filled = sketch.add("Where", missing, sketch.constant(encoding.fill, np.float64), "numeric")
    centred = sketch.add("Sub", filled, sketch.constant(encoding.centre, np.float64))
    scaled = sketch.add("Div", sketch.cast(centred, np.float32), sketch.constant(encoding.scale, np.float32))
    features = _smooth_clip(sketch, scaled, encoding.clip)
    if not len(encoding.flagged):
        return features
    flags = missing
    if not np.array_equal(encoding.flagged, np.arange(len(encoding.fill))):
        flags = sketch.add("Gather", missing, sketch.constant(encoding.flagged, np.int64), axis=1)
    return sketch.add("Concat", features, sketch.cast(flags, np.float32), axis=1)


def _smooth_clip(sketch: Sketch, name: str, clip: float) -> str:
    part = sketch.add("Div", name, sketch.constant(clip, np.float32))
    root = sketch.add("Sqrt", sketch.add("Add", sketch.add("Mul", part, part), sketch.constant(1.0, np.float32)))
    return sketch.add("Div", name, root)


def _lookup(sketch: Sketch, words: tuple[tuple[tuple[str, int], ...], ...], default: int) -> str:
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
    shares = sketch.add("Div", pixels, sketch.constant(255.0, np.float32))
    mean = sketch.constant(np.reshape(encoding.mean, (1, -1, 1, 1)), np.float32)
    deviation = sketch.constant(np.reshape(encoding.deviation, (1, -1, 1, 1)), np.float32)
    return sketch.add("Div", sketch.add("Sub", shares, mean), deviation)
