"""Made-up rows by which one form of a model is checked against another."""

from __future__ import annotations

import numpy as np

from temperance.records.schema import Rows, Schema

PROBE = 16


def probe(schema: Schema) -> Rows:
    """Return a few made-up rows within the ranges of the schema, for the check that torch answers as ONNX does."""
    generator = np.random.default_rng(7)
    if schema.image_shape is not None:
        images = generator.integers(0, 256, size=(PROBE, *schema.image_shape), dtype=np.uint8)
        return Rows(np.empty((PROBE, 0)), np.empty((PROBE, 0), dtype=np.int32), images)
    numeric = np.empty((PROBE, len(schema.numeric)))
    for j, column in enumerate(schema.numeric):
        low = 0.0 if column.low is None else column.low
        high = 1.0 if column.high is None else column.high
        numeric[:, j] = generator.uniform(low, high, size=PROBE)
    numeric[0] = np.nan
    sizes = [len(c.vocabulary) for c in schema.categorical]
    codes = np.stack([generator.integers(-2, size, size=PROBE) for size in sizes], axis=1) if sizes else np.empty(
        (PROBE, 0)
    )  # fmt: skip
    return Rows(numeric, codes.astype(np.int32))
