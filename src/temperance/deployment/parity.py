"""The gate before a bundle is written: the same raw rows through the trained model and through the exported graph."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from temperance.deployment.bundle import check_difference
from temperance.records.errors import BundleError
from temperance.records.predictor import Predictor
from temperance.records.schema import MISSING, UNSEEN, Rows, Schema

GOLDEN = 32  # rows kept in parity.npz
MOST = 512  # rows of the sample that the gate runs
PIECES = (
    *("the", "a", "and", "to", "of", "in", "you", "is", "not", "for", "my", "free", "call", "now", "please", "order"),
    *("late", "thanks", "good", "bad", "who", "what", "where", "how", "many", "5", "2024", "12:30", "1,000", "£100"),
    *("http://example.org", "user@example.org", "!!!", "…", "ÄÖÜ", "straße", "naïve", "спасибо", "你好", "ありがとう"),
    *("مرحبا", "שלום", "🙂", "👍🏽", "#tag", "A.B.C.", "x_y", "z-w"),
)
EXTREMES = (0.0, -1e6, 1e6, -1e30, 1e30)


def stress_rows(rows: Rows, schema: Schema, *, seed: int = 0) -> Rows:
    """Return rows that a model meets rarely: all missing, unseen categories, extreme numbers, NaN here and there.

    No row repeats a real one: each column is shuffled by itself, texts are made up, images and series are noise.
    """
    random = np.random.Generator(np.random.PCG64(seed))
    if schema.kind == "images":
        return _noise(schema, random)
    mixed = _shuffled(rows, random)
    holes = mixed.take(slice(None))
    holes.numeric[random.random(holes.numeric.shape) < 0.3] = np.nan
    holes.categorical[random.random(holes.categorical.shape) < 0.3] = MISSING
    strangers = mixed.take(slice(0, 8))._replace(categorical=np.full_like(mixed.categorical[:8], UNSEEN))
    sizes = [(value, 2) for value in EXTREMES]
    extremes = [_with(mixed, count, value) for value, count in sizes]
    empty = Rows(np.full_like(mixed.numeric[:1], np.nan), np.full_like(mixed.categorical[:1], MISSING))
    parts = [mixed.take(slice(0, 8)), holes.take(slice(0, 8)), strangers, empty, *extremes]
    stressed = Rows.stack(parts)
    return stressed._replace(
        text=made_up_texts((stressed.size, len(schema.text)), random) if schema.text else None,
        series=None if rows.series is None else _series(rows.series, stressed.size, random),
    )


def gate(predictor: Predictor, graph: Predictor, rows: Rows, schema: Schema, *, scale: float, seed: int = 0) -> float:
    """Compare both paths from raw rows.

    Args:
        predictor: the model as it was trained and evaluated.
        graph: the exported one.
        rows: real rows; at most 512 of them are used.
        schema: their columns.
        scale: spread of the target's values, for differences near 0 (0 for classification).
        seed: of the stress rows.

    Returns:
        The largest difference: of probabilities, or relative of values.

    Raises:
        BundleError: a difference above 1e-5, or a prediction on real rows that is not finite.

    """
    sample = rows.take(np.linspace(0, rows.size - 1, min(rows.size, MOST)).astype(np.int64))
    worst = 0.0
    stress = stress_rows(sample, schema, seed=seed)
    for name, part in (("real rows", sample), ("one row", sample.take(slice(0, 1))), ("stress rows", stress)):
        expected = np.asarray(predictor.predict(part), dtype=np.float64)
        if name != "stress rows" and not np.isfinite(expected).all():
            raise BundleError("the model gives predictions that are not finite", "finite numbers for real rows")
        worst = max(
            worst, check_difference(graph.predict(part), expected, f"the exported graph on {name}", scale=scale)
        )
    return worst


def _shuffled(rows: Rows, random: np.random.Generator) -> Rows:
    picks = random.integers(0, rows.size, size=(GOLDEN, rows.numeric.shape[1] + rows.categorical.shape[1]))
    n = rows.numeric.shape[1]
    columns = np.arange(rows.numeric.shape[1]), np.arange(rows.categorical.shape[1])
    return Rows(rows.numeric[picks[:, :n], columns[0]], rows.categorical[picks[:, n:], columns[1]])


def _with(rows: Rows, count: int, value: float) -> Rows:
    part = rows.take(slice(8, 8 + count))
    return Rows(np.full_like(part.numeric, value), part.categorical)


def made_up_texts(shape: tuple[int, int], random: np.random.Generator) -> NDArray[np.object_]:
    """Return texts (b, t) that no data set gave: absent, empty, made of ``PIECES``, in several scripts, very long."""
    texts = np.empty(shape, dtype=object)
    for place in np.ndindex(shape):
        count = int(random.integers(1, 30))
        texts[place] = " ".join(PIECES[i] for i in random.integers(0, len(PIECES), count))
    texts[0::9], texts[1::9], texts[2::9] = None, "", texts[2::9] * 40
    return texts


def _series(real: NDArray[np.float32], count: int, random: np.random.Generator) -> NDArray[np.float32]:
    known = np.where(np.isfinite(real), real, 0.0)
    scale = known.std(axis=(0, 2), keepdims=True)
    noise: NDArray[np.float32] = (random.standard_normal((count, *real.shape[1:])) * scale).astype(np.float32)
    noise[0::5, :, (real.shape[2] + 1) // 2 :] = np.nan  # shorter ones, one with gaps, one without a value
    noise[1::9, :, ::3] = np.nan
    noise[2::11] = np.nan
    return noise


def _noise(schema: Schema, random: np.random.Generator) -> Rows:
    shape = schema.image_shape or (1, 1, 1)
    images: NDArray[Any] = random.integers(0, 256, size=(8, *shape)).astype(np.uint8)
    images[0], images[1] = 0, 255
    return Rows(np.empty((8, 0)), np.empty((8, 0), dtype=np.int32), images)
