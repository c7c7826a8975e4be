"""Turn JSON records into raw rows, with the standard library and NumPy alone (the server loads no frames, no torch).

The reader of files (``data``) applies the same rules to whole columns, so a row means the same in a file and in a
request: words for "missing", decimal commas, dates and their parts.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from temperance.records.errors import RequestError, nearest
from temperance.records.schema import MISSING, UNSEEN, Column, Rows, Schema

#: Words that stand for a missing value in every column (lower case; the empty string too).
MISSING_WORDS = frozenset({"", "?", "na", "n/a", "#n/a", "nan", "null", "<na>"})
#: Words that stand for a missing value only where numbers or dates are expected; elsewhere they are a category.
WEAK_MISSING_WORDS = frozenset({"-", "--", ".", "none", "missing", "n.a.", "nil", "#value!", "#div/0!", "unknown"})
#: Signs before or after a number that are left out: ``$1,200`` is 1200 and ``5 %`` is 5.
UNIT_SIGNS = re.compile(r"^[$€£¥]\s*|\s*[%$€£¥]$")
#: Day patterns that are tried beside ISO 8601, in this order: on a tie the first one wins.
DAY_FORMATS = (
    *("%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%d-%m-%Y", "%m-%d-%Y", "%Y/%m/%d", "%d %b %Y", "%d-%b-%Y", "%b %d, %Y"),
    *("%d/%m/%y", "%m/%d/%y", "%d.%m.%y", "%d-%m-%y", "%m-%d-%y", "%d-%b-%y"),
)
#: What may follow the day.
HOUR_FORMATS = ("", " %H:%M:%S", " %H:%M", " %I:%M %p", " %I:%M:%S %p")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def is_missing_word(text: str, *, weak: bool) -> bool:
    """Tell whether ``text`` stands for a missing value; ``weak`` adds the words of number and date columns."""
    word = text.strip().lower()
    return word in MISSING_WORDS or (weak and word in WEAK_MISSING_WORDS)


def parse_number(text: str, *, decimal_comma: bool = False) -> float:
    """Read a number written as text; ``ValueError`` where it is none. A missing word gives NaN."""
    word = text.strip()
    if is_missing_word(word, weak=True):
        return math.nan
    word = UNIT_SIGNS.sub("", word)
    if decimal_comma:
        word = word.replace(".", "").replace(",", ".") if "," in word else word
    elif "," in word:
        word = word.replace(",", "")
    if "_" in word or not word.isascii():
        raise ValueError(text)
    return float(word)


def parse_days(text: str, *, pattern: str = "iso") -> float:
    """Read a date or moment as days since 1970-01-01 (UTC, with the fraction of the day); a missing word gives NaN."""
    word = text.strip()
    if is_missing_word(word, weak=True):
        return math.nan
    try:
        return _days(datetime.fromisoformat(word))
    except ValueError:
        day = "%Y-%m-%d" if pattern in ("", "iso") else pattern
    for hours in HOUR_FORMATS:
        try:
            return _days(datetime.strptime(word, day + hours))
        except ValueError:
            continue
    raise ValueError(text)


def date_part(days: NDArray[np.float64], part: str) -> NDArray[np.float64]:
    """Take a part of moments.

    Args:
        days: days since 1970-01-01, any shape; NaN = missing.
        part: ``days``, ``month`` (1–12), ``weekday`` (0 = Monday) or ``hour`` (0–23).

    Returns:
        The part as float64, NaN where the moment is missing; the same shape.

    """
    if part == "days":
        return days
    whole = np.floor(np.where(np.isfinite(days), days, 0.0))
    if part == "month":
        value = whole.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64) % 12 + 1
    elif part == "weekday":
        value = (whole.astype(np.int64) + 3) % 7  # 1970-01-01 was a Thursday
    else:
        value = np.floor(np.round((np.where(np.isfinite(days), days, 0.0) - whole) * 86400.0) / 3600.0) % 24
    return np.where(np.isfinite(days), value.astype(np.float64), np.nan)


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
    return Rows(numeric, codes)


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
        if isinstance(value, str):
            number = (
                parse_days(value, pattern=column.format)
                if column.part
                else parse_number(value, decimal_comma=column.format == ",")
            )
        elif isinstance(value, (int, float, np.number)):
            number = float(value)
        else:
            raise ValueError(value)
    except (ValueError, OverflowError):
        raise _refuse(column, value, row) from None
    return number if math.isfinite(number) else math.nan


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
    word = text.strip()
    code = column.codes.get(word)
    if code is None and word.lower() in ("true", "false"):
        code = column.codes.get(word.lower())
    if code is not None:
        return code
    return MISSING if is_missing_word(word, weak=False) else UNSEEN


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


def _days(moment: datetime) -> float:
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return (moment - EPOCH).total_seconds() / 86400.0


def _refuse(column: Column, value: Any, row: int) -> RequestError:
    wanted = "a date" if column.part else ("a number" if column.kind == "numeric" else "a text")
    shown = f" {value[:40]!r}" if isinstance(value, str) else ""
    return RequestError(
        f"Row {row}: {column.source or column.name!r} is {_kind(value)}{shown}",
        f"It must be {wanted}, or null where it is not known",
        "Correct the value",
        status=422,
    )


def _kind(value: Any) -> str:
    names = {type(None): "null", str: "the text", bool: "true or false", dict: "an object", list: "a list"}
    return names.get(type(value), "a number" if isinstance(value, (int, float)) else f"a {type(value).__name__}")
