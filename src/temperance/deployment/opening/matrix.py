"""Raw rows as what foreign models take: a matrix of numbers, or images with the channels first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from temperance.records.errors import DataError
from temperance.records.schema import Rows, Schema


def numbers(rows: Rows, schema: Schema, *, what: str) -> NDArray[np.float64]:
    """Return (b, f): the numeric columns in file order.

    Raises:
        DataError: the table has columns that are no numbers; such a model needs its own preprocessing.

    """
    others = [c.name for c in schema.columns if c.kind != "numeric"]
    if others:
        raise DataError(
            f"{what} for data with columns that are no numbers: {', '.join(others[:5])}",
            "a model that takes numbers, with numbers; or a model that reads its own columns",
            "Leave them out with --column 'NAME=drop', or give a function whose model takes the pair "
            "(numeric, categorical)",
        )
    return np.asarray(rows.numeric, dtype=np.float64)


def channels_first(rows: Rows) -> NDArray[np.float32]:
    """Return images (b, c, h, w), pixels from 0 to 1.

    Raises:
        DataError: there are none.

    """
    if rows.images is None:
        raise DataError("rows without images", "images for a model of images", "Check the data")
    return np.ascontiguousarray(np.moveaxis(rows.images, -1, 1), dtype=np.float32) / np.float32(255.0)


def frame(rows: Rows, schema: Schema, names: Sequence[str] | None = None) -> Any:
    """Return a Polars frame with the columns' names; ``names`` picks and orders them.

    Raises:
        DataError: a name that is not there.

    """
    import polars as pl

    kinds: dict[str, Any] = {c.name: pl.String for c in (*schema.categorical, *schema.text)}
    columns: dict[str, Any] = {c.name: rows.numeric[:, j] for j, c in enumerate(schema.numeric)}
    words = schema.decode(rows.categorical)
    columns |= {c.name: [w or None for w in words[:, j]] for j, c in enumerate(schema.categorical)}
    if rows.text is not None:
        columns |= {c.name: rows.text[:, j].tolist() for j, c in enumerate(schema.text)}
    wanted = [c.name for c in schema.columns if c.name in columns] if names is None else list(names)
    absent = [name for name in wanted if name not in columns]
    if absent:
        raise DataError(
            f"a model that was fitted on the column {absent[0]!r}", f"the data have {', '.join(columns)}",
            "Give data with the columns of the training",
        )  # fmt: skip
    return pl.DataFrame([pl.Series(name, columns[name], dtype=kinds.get(name)) for name in wanted])
