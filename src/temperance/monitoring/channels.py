"""What is watched of each request: bin codes per channel, from raw rows and predictions.

Channels, in order: ``feature:<numeric column>`` …, ``feature:<categorical column>`` …, ``missing:<column>`` … (all
columns), ``unseen:<categorical column>`` …, then ``confidence`` and ``prediction`` (classification) or ``prediction``
(regression). Images have three numeric features: brightness, contrast and sharpness. A column of text has three as
well: its count of words, its letters per word, and its share of signs that are no letters.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from temperance.records.errors import DataError
from temperance.records.schema import MISSING, UNSEEN, Rows, Schema

EDGES = 31  # edges of a numeric channel at most; 32 bins
BINS = EDGES + 1
SKIP = -1
TEXT_FEATURES = ("words", "letters per word", "share of signs")
IMAGE_FEATURES = ("brightness", "contrast", "sharpness")


def numeric_names(schema: Schema) -> list[str]:
    """Return the numeric features watched: columns and summaries of texts, or summaries of an image."""
    if schema.kind == "images":
        return list(IMAGE_FEATURES)
    return [*(c.name for c in schema.numeric), *(f"{c.name}: {f}" for c in schema.text for f in TEXT_FEATURES)]


def categorical_names(schema: Schema) -> list[str]:
    """Return the categorical features watched."""
    return [] if schema.kind == "images" else [c.name for c in schema.categorical]


def names(schema: Schema) -> list[str]:
    """Return the channel names, in the order of the codes."""
    numeric, categorical = numeric_names(schema), categorical_names(schema)
    gaps = [] if schema.kind == "images" else [*numeric, *categorical]
    outputs = ["prediction"] if schema.target.task == "regression" else ["confidence", "prediction"]
    return [
        *(f"feature:{name}" for name in [*numeric, *categorical]),
        *(f"missing:{name}" for name in gaps),
        *(f"unseen:{name}" for name in categorical),
        *outputs,
    ]


def numbers(rows: Rows, schema: Schema) -> NDArray[np.float64]:
    """Return the numeric features (b, n): the columns, what is told of texts, or of images (see ``numeric_names``).

    Raises:
        DataError: rows without images for a schema of images, or without text for a schema with text.

    """
    if schema.text:
        if rows.text is None:
            raise DataError("rows hold no text", "texts (b, t)", "Pass the rows that the model reads")
        told = np.array([[number for cell in row for number in _of_text(cell)] for row in rows.text])
        return np.concatenate([rows.numeric, told.reshape(rows.size, len(TEXT_FEATURES) * len(schema.text))], axis=1)
    if schema.kind != "images":
        return rows.numeric
    if rows.images is None:
        raise DataError("rows hold no images", "images (b, h, w, c) uint8", "Pass the rows that the model reads")
    pixels = rows.images.astype(np.float32).reshape(len(rows.images), *rows.images.shape[1:3], -1)
    grey = pixels.mean(axis=3)
    edges = np.abs(np.diff(grey, axis=1)).mean(axis=(1, 2)) + np.abs(np.diff(grey, axis=2)).mean(axis=(1, 2))
    return np.stack([grey.mean(axis=(1, 2)), grey.std(axis=(1, 2)), edges], axis=1).astype(np.float64)


def _of_text(text: str | None) -> tuple[float, ...]:
    """Return ``TEXT_FEATURES`` of a text; NaN where there is none."""
    count = len(text.split()) if text else 0
    if not text or not count:
        return (np.nan,) * len(TEXT_FEATURES)
    letters = sum(map(str.isalpha, text))
    solid = len(text) - sum(map(str.isspace, text))
    return float(count), letters / count, 1 - letters / solid


def outputs(predictions: NDArray[Any], schema: Schema) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return the watched number (b,) and class (b,) of predictions: confidence and top class, or the value and zeros.

    Raises:
        DataError: probabilities are not (b, classes), or values not (b,).

    """
    array = np.asarray(predictions)
    if schema.target.task == "regression":
        if array.ndim != 1:
            raise DataError(f"predictions have shape {array.shape}", "values (b,)", "Pass what the model predicts")
        return array.astype(np.float64), np.zeros(len(array), dtype=np.int64)
    if array.ndim != 2 or array.shape[1] != len(schema.target.classes):
        accepted = f"probabilities (b, {len(schema.target.classes)})"
        raise DataError(f"predictions have shape {array.shape}", accepted, "Pass what the model predicts")
    return array.max(axis=1).astype(np.float64), array.argmax(axis=1)


def cut(values: NDArray[np.float64], edges: NDArray[np.float64]) -> NDArray[np.int8]:
    """Return the bin of each value: count of edges ≤ value, ``SKIP`` for NaN.

    Shapes: values (b, n), edges (n, ``EDGES``) padded with NaN → codes (n, b).
    """
    hits = values.T[:, :, None] >= edges[:, None, :]
    packed = np.packbits(np.pad(hits, ((0, 0), (0, 0), (0, 1))), axis=-1).view(np.uint32)[..., 0]
    codes = np.bitwise_count(packed).astype(np.int8)
    codes[np.isnan(values.T)] = SKIP
    return codes


def encode(
    schema: Schema,
    arrays: dict[str, NDArray[Any]],
    numeric: NDArray[np.float64],
    categorical: NDArray[np.int32],
    number: NDArray[np.float64],
    top: NDArray[np.int64],
) -> NDArray[np.int8]:
    """Return the codes of all channels (c, b).

    Args:
        schema: columns of the rows.
        arrays: the reference: ``edges`` (n + 1, ``EDGES``), the last row for the predicted number; ``order``
            (m + 1, categories), the last row for the predicted class.
        numeric: (b, n).
        categorical: (b, m).
        number: predicted confidence or value (b,).
        top: predicted class (b,).

    """
    edges, order = arrays["edges"], arrays["order"]
    binned = cut(np.concatenate([numeric, number[:, None]], axis=1), edges)
    parts = [binned[:-1]]
    codes = categorical.T
    if len(codes):
        known = codes >= 0
        at = np.arange(len(codes))[:, None]
        parts.append(np.where(known, order[at, np.where(known, codes, 0)], SKIP).astype(np.int8))
    if schema.kind != "images":
        parts += [np.isnan(numeric.T).view(np.int8), (codes == MISSING).view(np.int8)]
        parts.append((codes == UNSEEN).view(np.int8))
    parts.append(binned[-1:])
    if schema.target.task != "regression":
        parts.append(order[-1][top][None, :].astype(np.int8))
    return np.concatenate(parts, axis=0)
