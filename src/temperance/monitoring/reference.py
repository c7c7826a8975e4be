"""What is normal: reference statistics of held-out rows and the model's predictions on them, as plain arrays.

``build`` returns a flat dict of NumPy arrays for ``reference.npz``; ``save`` and ``load`` write and read it without
pickle. One half of the rows sets the bins, the other half is counted in them, so that counts and traffic can be swapped
freely: that is what makes the drift test exact for any number of reference rows.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from temperance.monitoring import channels
from temperance.monitoring.channels import BINS, EDGES
from temperance.records.damaged import DAMAGED, arrays_in
from temperance.records.errors import BundleError, DataError
from temperance.records.schema import MISSING, UNSEEN, Rows, Schema

VERSION = 1
LEAST = 20  # reference rows at least
SAMPLE = 2000  # reference predictions kept for label-free estimates and prior correction
QUANTILES = np.linspace(0.0, 1.0, 11)
Arrays = dict[str, NDArray[Any]]


def build(
    rows: Rows, predictions: NDArray[Any], schema: Schema, *, target: NDArray[Any] | None = None, seed: int = 0
) -> Arrays:
    """Measure what is normal.

    Args:
        rows: rows that the model was *not* trained on, best the calibration rows: predictions on training rows are too
            sure of themselves, and everything after would look like drift.
        predictions: what the model says of them: probabilities (b, classes) or values (b,).
        schema: columns and target.
        target: true classes (b,) or values (b,); without it there is no label-free accuracy and no prior correction.
        seed: of the split into the half that sets bins and the half that is counted.

    Returns:
        A dict of arrays; strings are fixed-width, no array needs pickle.

    Raises:
        DataError: fewer than 20 rows, or lengths that differ.

    """
    count = rows.size
    if count < LEAST:
        raise DataError(f"{count} reference rows", f"at least {LEAST}", "Give more calibration rows")
    if len(predictions) != count or (target is not None and len(target) != count):
        raise DataError("rows, predictions and target differ in length", f"{count} of each", "Pass the same rows")
    order = np.random.Generator(np.random.PCG64(seed)).permutation(count)
    half, rest = np.sort(order[: count // 2]), np.sort(order[count // 2 :])
    numeric = channels.numbers(rows, schema)
    number, top = channels.outputs(predictions, schema)
    categorical = rows.categorical if schema.kind != "images" else np.empty((count, 0), dtype=np.int32)
    arrays: Arrays = {
        "version": np.array(VERSION),
        "rows": np.array(count),
        "channels": np.array(channels.names(schema)),
        "edges": np.stack([edges_of(c) for c in np.concatenate([numeric, number[:, None]], axis=1)[half].T]),
        "order": _orders(categorical[half], top[half], schema),
    }
    codes = channels.encode(schema, arrays, numeric[rest], categorical[rest], number[rest], top[rest])
    arrays["counts"] = np.stack([np.bincount(c[c >= 0], minlength=BINS) for c in codes])
    if target is not None and schema.target.task != "regression":
        arrays["class_counts"] = _per_class(codes, np.asarray(target, dtype=np.int64)[rest], schema.target.outputs)
    if target is not None:
        arrays["quality_sums"] = _per_bin(codes, _quality(np.asarray(predictions), np.asarray(target), schema)[rest])
    arrays |= _portrait(numeric, categorical, number, schema)
    return arrays | _predicted(np.asarray(predictions), target, schema, order[:SAMPLE])


def _per_class(codes: NDArray[np.int8], target: NDArray[np.int64], classes: int) -> NDArray[np.int32]:
    """Return counts per channel, bin and class (c, BINS, classes)."""
    out = np.zeros((len(codes), BINS, classes), dtype=np.int32)
    channel, row = np.nonzero(codes >= 0)
    np.add.at(out, (channel, codes[channel, row], target[row]), 1)
    return out


def _per_bin(codes: NDArray[np.int8], quality: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the sum of ``quality`` per channel and bin (c, BINS)."""
    return np.stack([np.bincount(c[c >= 0], quality[c >= 0], minlength=BINS) for c in codes])


def _quality(predictions: NDArray[Any], target: NDArray[Any], schema: Schema) -> NDArray[np.float64]:
    """Return 1 for a right answer and 0 for a wrong one, or squared errors (b,)."""
    if schema.target.task == "regression":
        return np.asarray((predictions.astype(np.float64) - target) ** 2, dtype=np.float64)
    return np.asarray(predictions.argmax(axis=1) == target, dtype=np.float64)


def edges_of(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return up to ``EDGES`` increasing edges, NaN-padded: 15 quantiles, and both sides of values that repeat often.

    Shapes: values (m,) → (``EDGES``,).
    """
    edges = np.full(EDGES, np.nan)
    known = values[np.isfinite(values)]
    if not len(known):
        return edges
    cuts = np.unique(np.quantile(known, np.arange(1, 16) / 16, method="inverted_cdf"))
    low, high = known.min(), np.nextafter(known.max(), np.inf)
    heavy = cuts[[(known == c).mean() > 1 / 16 for c in cuts]]
    found = np.unique(np.concatenate([cuts, np.nextafter(heavy, np.inf), [low, high]]))[:EDGES]
    edges[: len(found)] = found
    return edges


def _orders(categorical: NDArray[np.int32], top: NDArray[np.int64], schema: Schema) -> NDArray[np.int8]:
    """Return category → bin (m + 1, width): most frequent first, the rare ones share the last bin."""
    sizes = [len(schema.categorical[j].vocabulary) for j in range(categorical.shape[1])] + [schema.target.outputs]
    out = np.zeros((len(sizes), max(1, *sizes)), dtype=np.int8)
    columns = [*categorical.T, top]
    for j, (size, codes) in enumerate(zip(sizes, columns, strict=True)):
        frequency = np.bincount(codes[codes >= 0], minlength=max(1, size))[: max(1, size)]
        ranked = np.argsort(-frequency, kind="stable")
        out[j, ranked] = np.minimum(np.arange(len(ranked)), BINS - 1)
    return out


def _portrait(
    numeric: NDArray[np.float64], categorical: NDArray[np.int32], number: NDArray[np.float64], schema: Schema
) -> Arrays:
    """Return what people read: quantiles, category shares, missing and unseen rates."""
    columns = np.concatenate([numeric, number[:, None]], axis=1).T
    quantiles = np.stack(
        [np.quantile(k, QUANTILES) if len(k := c[np.isfinite(c)]) else np.full(len(QUANTILES), np.nan) for c in columns]
    )
    width = max([len(schema.categorical[j].vocabulary) for j in range(categorical.shape[1])], default=0)
    shares = np.zeros((categorical.shape[1], width))
    for j, codes in enumerate(categorical.T):
        shares[j] = np.bincount(codes[codes >= 0], minlength=width)[:width] / len(codes)
    return {
        "quantiles": quantiles,
        "shares": shares,
        "missing": np.concatenate([np.isnan(numeric).mean(axis=0), (categorical == MISSING).mean(axis=0)]),
        "unseen": (categorical == UNSEEN).mean(axis=0),
    }


def _predicted(
    predictions: NDArray[Any], target: NDArray[Any] | None, schema: Schema, index: NDArray[np.int64]
) -> Arrays:
    """Return a sample of predictions with their truth, and the mean loss: 0/1 error or squared error."""
    out: Arrays = {"sample": predictions[index].astype(np.float64)}
    if target is None:
        return out
    known = np.asarray(target)
    quality = _quality(predictions, known, schema)
    loss = quality if schema.target.task == "regression" else 1 - quality
    return out | {"sample_target": known[index], "loss": np.array([loss.mean(), loss.std(), len(loss)])}


def save(path: str | Path, arrays: Arrays) -> None:
    """Write ``arrays`` as one ``.npz``, whole or not at all."""
    path = Path(path)
    with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".tmp", delete=False) as file:
        np.savez_compressed(file, allow_pickle=False, **arrays)
    os.replace(file.name, path)


def load(path: str | Path) -> Arrays:
    """Read what ``save`` wrote; runs no code.

    Raises:
        BundleError: the file is damaged, foreign or of a newer version.

    """
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = arrays_in(file)
    except DAMAGED as error:
        raise BundleError(f"{path}: {error}", "reference statistics written by temperance", "Export again") from error
    return check(arrays)


def check(arrays: Arrays) -> Arrays:
    """Return ``arrays`` when they are reference statistics of this version.

    Raises:
        BundleError: an array is missing, or the version is newer.

    """
    absent = [name for name in ("version", "channels", "edges", "order", "counts", "sample") if name not in arrays]
    if absent:
        raise BundleError(f"reference lacks {', '.join(absent)}", "what reference.build returns", "Export again")
    if int(arrays["version"]) > VERSION:
        raise BundleError(f"reference version {int(arrays['version'])}", f"at most {VERSION}", "Update temperance")
    return arrays
