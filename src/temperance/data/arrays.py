"""Arrays and frames in memory: ``(X, y)`` pairs, pandas, Polars, Arrow and other frames (through narwhals)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from temperance.data import fingerprint
from temperance.data.base import Contents, Source
from temperance.data.series_array import channels_of, look_like_moments, series_array, shapes_note
from temperance.records.errors import DataError

TARGET = "target"  # name of a target that comes without one


@dataclass(frozen=True, eq=False)
class Arrays(Source):
    """Inputs and perhaps a target in memory.

    Attributes:
        inputs: a frame; a mapping from name to values; an array (b, f), (b, h, w), (b, h, w, c) or (b, c, h, w).
        targets: (b,) values, a series, a frame with one column, or None.
        name: what to call the data in a report.
        channels: the inputs are series of so many channels, whatever they look like; 0: of any count.

    """

    inputs: Any
    targets: Any = None
    name: str = "data"
    channels: int | None = None

    def open(self, scratch: Path) -> Contents:
        if self.channels is not None or _holds_series(self.inputs):
            return self._series()
        frame, images, plain, notes = _inputs(self.inputs)
        rows = frame.height if images is None else len(images)
        if rows == 0:
            raise DataError("The table has no rows", "At least a few rows", "Check how the data was selected")
        digest = fingerprint.of_frame(frame) if images is None else fingerprint.of_arrays([images])
        if self.targets is None:
            return Contents(frame, self.name, digest, images=images, plain=plain, notes=notes)
        target, name = self._target(rows, frame.columns)
        digest = fingerprint.of_frame([target, pl.Series([digest])])
        frame = frame.with_columns(target.alias(name)) if frame.width else target.alias(name).to_frame()
        return Contents(frame, self.name, digest, images=images, target=name, plain=plain, notes=notes)

    def _series(self) -> Contents:
        series, notes = series_array(np.asarray(self.inputs), self.channels or None)
        digest = fingerprint.of_arrays([series])
        channels = channels_of(series.shape[1])
        made = Contents(
            pl.DataFrame(), self.name, digest, notes=(*notes, shapes_note(series)), series=series, channels=channels
        )
        if self.targets is None:
            return made
        target, name = self._target(len(series), [c.name for c in channels])
        digest = fingerprint.of_frame([target, pl.Series([digest])])
        return replace(made, frame=target.alias(name).to_frame(), fingerprint=digest, target=name)

    def _target(self, rows: int, taken: Sequence[str]) -> tuple[pl.Series, str]:
        target = _targets(self.targets)
        name = target.name or TARGET
        while name in taken:
            name += "_"
        if len(target) != rows:
            raise DataError(
                f"X has {rows} rows and y has {len(target)}", "One target per row", "Check that X and y belong together"
            )
        return target, name


def _holds_series(inputs: Any) -> bool:
    """Tell whether inputs have three axes and are no images."""
    if isinstance(inputs, Mapping) or len(getattr(inputs, "shape", ())) != 3 or not hasattr(inputs, "dtype"):
        return False
    values = np.asarray(inputs)
    return values.dtype.kind in "biuf" and values.size > 0 and image_array(values) is None


def image_array(values: NDArray[Any]) -> tuple[NDArray[np.uint8], tuple[str, ...]] | None:
    """Return values as images (b, h, w, c) uint8 with notes, or None where they do not look like images.

    Whole numbers 0–255 in three axes are grey images; in four axes the short axis of 1, 3 or 4 holds the channels.
    Fractions are accepted in four axes, scaled from 0–1.
    """
    if values.ndim not in (3, 4) or values.dtype.kind not in "uif" or not values.size:
        return None
    low, high = float(values.min()), float(values.max())
    if not (low >= 0 and high <= 255) or (values.ndim == 3 and values.dtype.kind == "f"):
        return None
    pictures = values[..., None] if values.ndim == 3 else values
    if pictures.shape[-1] not in (1, 3, 4):
        if pictures.shape[1] not in (1, 3, 4):
            return None
        pictures = np.moveaxis(pictures, 1, -1)
    if min(pictures.shape[1:3]) < 4:
        return None
    notes: tuple[str, ...] = ()
    if values.dtype.kind == "f" and high <= 1.0:
        pictures, notes = pictures * 255.0, ("Pixels between 0 and 1 were scaled to 0–255.",)
    exact = pictures if pictures.dtype == np.uint8 else np.round(pictures).astype(np.uint8)
    return exact, notes


def table_array(values: NDArray[Any]) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """Return an array (b, f), or with more axes flattened, as a frame with the columns ``x0``, ``x1`` …"""
    if values.ndim == 1:
        values = values[:, None]
    notes: tuple[str, ...] = ()
    if values.ndim > 2:
        notes = (f"Values of shape {values.shape[1:]} per row were laid out as {values[0].size} columns.",)
        values = values.reshape(len(values), -1)
    return pl.DataFrame([_series(f"x{j}", values[:, j]) for j in range(values.shape[1])]), notes


def _series(name: str, values: Any) -> pl.Series:
    """Make a series; mixed Python objects are read as text, None stays missing."""
    array = np.asarray(values)
    if array.dtype == np.float16:
        array = array.astype(np.float32)
    if array.dtype.kind == "M":
        array = array.astype("datetime64[us]")
    if array.dtype.kind in "biufUM":
        return pl.Series(name, np.ascontiguousarray(array))
    items = [None if _is_missing(v) else v for v in array.tolist()]
    if any(isinstance(v, complex) for v in items):
        raise DataError(f"Column {name!r} holds complex numbers", "Real numbers or text", "Split them into two columns")
    if all(v is None or (isinstance(v, (int, float, np.number)) and not isinstance(v, bool)) for v in items):
        return pl.Series(name, [None if v is None else float(v) for v in items], dtype=pl.Float64)
    if all(v is None or hasattr(v, "isoformat") for v in items):
        return pl.Series(name, items)
    return pl.Series(name, [None if v is None else str(v) for v in items], dtype=pl.String)


def _is_missing(value: Any) -> bool:
    """Tell whether a Python object stands for a missing value: None, NaN, pandas' NA and NaT."""
    return value is None or type(value).__name__ == "NAType" or bool(value != value)


def _inputs(inputs: Any) -> tuple[pl.DataFrame, NDArray[np.uint8] | None, bool, tuple[str, ...]]:
    if isinstance(inputs, Mapping):
        return pl.DataFrame([_series(str(key), value) for key, value in inputs.items()]), None, False, ()
    frame = as_frame(inputs)
    if frame is not None:
        return frame, None, False, ()
    if hasattr(inputs, "toarray"):  # a sparse matrix
        inputs = inputs.toarray()
    values = np.asarray(inputs)
    if values.ndim == 0:
        raise DataError(
            f"Data of type {type(inputs).__name__} cannot be read",
            "A path, the name of a bundled set, a frame, or arrays (X, y)",
            "Pass one of these",
        )
    pictures = image_array(values)
    if pictures is not None:
        return pl.DataFrame(), pictures[0], True, pictures[1]
    frame, notes = table_array(values)
    if look_like_moments(values):
        notes += (
            f"The {values.shape[1]} columns may be moments of one series: neighbours are close. They are read as "
            "columns of a table. To read series, save the array under the name 'series', or give X[:, None, :].",
        )
    return frame, None, True, notes


def as_frame(data: Any) -> pl.DataFrame | None:
    """Return any frame that narwhals knows as a Polars frame, or None where ``data`` is no frame.

    Raises:
        DataError: two columns of one name.

    """
    import narwhals as nw

    if isinstance(data, pl.LazyFrame):
        return data.collect()
    if isinstance(data, pl.DataFrame):
        return data
    if hasattr(data, "__arrow_c_stream__") and not hasattr(data, "iloc"):  # Arrow tables, datasets, DuckDB relations
        made = pl.DataFrame(data)
        return made.with_columns(pl.col(pl.Categorical).cast(pl.String))
    try:
        known = nw.from_native(data, pass_through=True, eager_only=True)
    except nw.exceptions.DuplicateError as error:
        raise DataError(
            "The frame has duplicate column names", "Each column has a name of its own", "Rename them"
        ) from error
    if not isinstance(known, nw.DataFrame):
        return None
    columns = zip(known.columns, known.iter_columns(), strict=True)  # known[name] takes a whole number for a row
    return pl.DataFrame([_from_narwhals(str(name), column) for name, column in columns])


def _from_narwhals(name: str, series: Any) -> pl.Series:
    kind = series.dtype
    if kind.is_numeric() and not series.is_null().any():
        return _series(name, series.to_numpy())
    return _series(name, np.array([*series.to_list(), None], dtype=object)[:-1])


def _targets(targets: Any) -> pl.Series:
    if isinstance(targets, pl.Series):
        return targets
    frame = as_frame(targets)
    if frame is not None:
        if frame.width != 1:
            raise DataError(f"y has {frame.width} columns", "One target column", "Choose one of them")
        return frame.to_series()
    name = getattr(targets, "name", None)
    values = np.asarray(targets)
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim != 1:
        raise DataError(f"y has the shape {values.shape}", "One target per row: (b,)", "Choose one column")
    return _series(str(name) if name else TARGET, values)
