"""Equal texts have equal numbers: for finding rows that repeat and for splits that keep them together."""

from __future__ import annotations

from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from temperance.records.schema import Rows


def digest_columns(rows: Rows) -> list[NDArray[np.uint64]]:
    """Return a column (b,) of 64-bit numbers per column of text and per channel of a series; a missing text is 0."""
    columns = []
    if rows.text is not None:
        columns += [np.array([_of_text(cell) for cell in column], dtype=np.uint64) for column in rows.text.T]
    if rows.series is not None:
        for channel in range(rows.series.shape[1]):
            one = np.ascontiguousarray(rows.series[:, channel])
            columns.append(np.array([_of_bytes(row.tobytes()) for row in one], dtype=np.uint64))
    return columns


def _of_text(text: str | None) -> int:
    return 0 if text is None else _of_bytes(text.encode("utf-8", "surrogatepass"))


def _of_bytes(data: bytes) -> int:
    return int.from_bytes(blake2b(data, digest_size=8).digest(), "little")
