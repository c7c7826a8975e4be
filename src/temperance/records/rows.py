"""Turn JSON records into raw rows, with the standard library and NumPy alone (the server loads no frames, no torch).

Text is read by ``records.cells`` and ``records.moments``, which the reader of files (``data``) asks too: a row means
the same in a file and in a request.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from temperance.records.cells import fold, is_missing_word, tidy
from temperance.records.errors import RequestError, nearest
from temperance.records.members import HAS, has
from temperance.records.moments import date_part, days_of_number, parse_days
from temperance.records.schema import MISSING, UNSEEN, Column, Rows, Schema
from temperance.records.series_rows import series_of_records


def rows_from_records(schema: Schema, records: Sequence[Mapping[str, Any]]) -> Rows:
    """Turn JSON objects into raw rows.

    Args:
        schema: the columns that the model expects; for images each record holds ``image``, nested lists (h, w, c) or
            (h, w) of 0–255.
        records: one mapping per row, by the column names of the file; further names are ignored, null = missing.

    Returns:
        Rows (b, n), (b, m).

    Raises:
        RequestError: status 422; a feature is absent (named) or holds a value of the wrong type.

    """
    for position, record in enumerate(records):
        if not isinstance(record, Mapping):
            raise RequestError(
                f"Row {position} is {_kind(record)}",
                "A row is an object from column name to value",
                'Send {"rows": [{"name": value}]}',
                status=422,
            )
    if schema.kind == "images":
        return _images(schema, records)
    numeric = np.empty((len(records), len(schema.numeric)), dtype=np.float64)
    codes = np.empty((len(records), len(schema.categorical)), dtype=np.int32)
    for i, record in enumerate(records):
        for j, column in enumerate(schema.numeric):
            numeric[i, j] = _number(column, record, i)
        for j, column in enumerate(schema.categorical):
            codes[i, j] = _code(column, _look_up(column, record, i), i)
    for j, column in enumerate(schema.numeric):
        if column.part:
            numeric[:, j] = date_part(numeric[:, j], column.part)
    series = series_of_records(schema, records) if schema.series else None
    return Rows(numeric, codes, None, _texts(schema, records) if schema.text else None, series)


def _texts(schema: Schema, records: Sequence[Mapping[str, Any]]) -> NDArray[np.object_]:
    found: NDArray[np.object_] = np.empty((len(records), len(schema.text)), dtype=object)
    for i, record in enumerate(records):
        for j, column in enumerate(schema.text):
            value = _look_up(column, record, i)
            if value is not None and not isinstance(value, str):
                raise _refuse(column, value, i)
            found[i, j] = None if value is None else text_of(column, value)
    return found


def text_of(column: Column, text: str) -> str | None:
    """Return a cell of a column of text without blanks and quotes at its ends; None for a missing word."""
    word = tidy(text)
    return None if is_missing_word(word, column.missing, weak=False) else word


def _look_up(column: Column, record: Mapping[str, Any], row: int) -> Any:
    name = column.source or column.name
    if name in record:
        return record[name]
    raise RequestError(
        f"Row {row} lacks the feature {name!r}",
        "Every feature that the model was trained on, null where it is not known",
        nearest(name, (str(key) for key in record)) or f"Add {name!r} to the row",
        status=422,
    )


def _number(column: Column, record: Mapping[str, Any], row: int) -> float:
    value = _look_up(column, record, row)
    try:
        if value is None:
            return math.nan
        if column.part.startswith(HAS):
            return has(value, column.part.removeprefix(HAS), column.format, column.missing)
        if isinstance(value, str):
            number = number_of(column, value)
        elif isinstance(value, (int, float, np.number)):
            number = _plain_number(column, value)
        else:
            raise ValueError(value)
    except (ValueError, OverflowError):
        raise _refuse(column, value, row) from None
    return number if math.isfinite(number) else math.nan


def _plain_number(column: Column, value: Any) -> float:
    number = float(value)
    if number in column.sentinels:
        return math.nan
    return days_of_number(number, column.format) if column.part else number


def number_of(column: Column, text: str) -> float:
    """Read a cell of a numeric column, for a date its days; NaN where it is missing.

    Raises:
        ValueError: it is not written as the column is.

    """
    if column.part.startswith(HAS):
        return has(text, column.part.removeprefix(HAS), column.format, column.missing)
    if column.part:
        return parse_days(text, pattern=column.format, missing=column.missing)
    return column.style.read(text, column.missing)


def _code(column: Column, value: Any, row: int) -> int:
    if value is None:
        return MISSING
    if isinstance(value, bool):
        value = str(value).lower()
    elif isinstance(value, (int, float, np.number)):
        if not math.isfinite(value):
            return MISSING
        value = str(int(value)) if float(value).is_integer() else str(value)
    elif not isinstance(value, str):
        raise _refuse(column, value, row)
    return category_code(column, value)


def category_code(column: Column, text: str) -> int:
    """Return the code of a category as text: ``MISSING`` for a missing word, ``UNSEEN`` for an unknown one."""
    word = tidy(text)
    if is_missing_word(word, column.missing, weak=False):
        return MISSING
    code = column.codes.get(word)
    return column.near.get(fold(word), UNSEEN) if code is None else code


def _images(schema: Schema, records: Sequence[Mapping[str, Any]]) -> Rows:
    shape = schema.image_shape or (0, 0, 0)
    images = np.empty((len(records), *shape), dtype=np.uint8)
    for i, record in enumerate(records):
        if "image" not in record:
            raise RequestError(f"Row {i} lacks 'image'", f"Pixels 0–255 of shape {shape}", "Add 'image'", status=422)
        try:
            pixels = np.asarray(record["image"], dtype=np.float64)
            pixels = pixels[..., None] if pixels.ndim == 2 else pixels
            valid = pixels.shape == shape and bool(((pixels >= 0) & (pixels <= 255)).all())
        except (ValueError, TypeError):
            valid = False
        if not valid:
            raise RequestError(
                f"The image of row {i} cannot be used", f"Pixels 0–255 of shape {shape}", "Resize the image", status=422
            )
        images[i] = np.round(pixels)
    empty = len(records)
    return Rows(np.empty((empty, 0)), np.empty((empty, 0), dtype=np.int32), images)


def _refuse(column: Column, value: Any, row: int) -> RequestError:
    several = column.part.startswith(HAS)
    plain = "a date" if column.part else ("a number" if column.kind == "numeric" else "a text")
    wanted = "a text or a list of texts" if several else plain
    shown = f" {value[:40]!r}" if isinstance(value, str) else ""
    return RequestError(
        f"Row {row}: {column.source or column.name!r} is {_kind(value)}{shown}",
        f"It must be {wanted}, or null where it is not known{_as_written(column, value)}",
        "Correct the value",
        status=422,
    )


def _as_written(column: Column, value: Any) -> str:
    """Say how the text of a numeric column is written."""
    if column.kind != "numeric" or not isinstance(value, str) or column.part.startswith(HAS):
        return ""
    if column.part:
        return f"; dates are written as {column.format or 'iso'}"
    return f"; numbers are written like {column.style.example}"


def _kind(value: Any) -> str:
    names = {type(None): "null", str: "the text", bool: "true or false", dict: "an object", list: "a list"}
    return names.get(type(value), "a number" if isinstance(value, (int, float)) else f"a {type(value).__name__}")
