"""The golden rows of a bundle as raw rows: what can be run where no data are."""

from __future__ import annotations

import numpy as np

from temperance.deployment.bundle import Bundle, read_arrays
from temperance.records.schema import Rows


def golden_rows(bundle: Bundle) -> Rows:
    """Return the rows of ``parity.npz``: each column is real, no row is."""
    held = read_arrays(bundle.folder / "parity.npz")
    size = len(held["expected"])
    schema = bundle.schema
    codes = np.empty((size, len(schema.categorical)), dtype=np.int32)
    if "categorical" in held:
        codes = schema.encode(held["categorical"].astype(object))
    text = None
    if "text" in held:
        text = held["text"].astype(object)
        text[held["no_text"]] = None
    return Rows(held.get("numeric", np.empty((size, 0))), codes, held.get("image"), text, held.get("series"))
