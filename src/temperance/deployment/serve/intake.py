"""JSON rows to raw rows, fast for the rows that need no care and by ``records.rows`` for all others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from operator import itemgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from temperance.records.cells import is_missing_word
from temperance.records.errors import RequestError
from temperance.records.rows import category_code, number_of, rows_from_records, text_of
from temperance.records.schema import MISSING, Column, Rows, Schema

AT_ONCE = 4096  # rows that are lists of numbers at once
PLAIN = {float, int, type(None)}


class Intake:
    """Reads the rows of one schema.

    The fast path takes numbers, null and known categories; a row with anything else (numbers as text, dates, unseen
    categories, a missing feature) goes the slow path with its rules and its errors. Both give the same rows.
    """

    def __init__(self, schema: Schema) -> None:
        self.schema = schema
        names = [column.source or column.name for column in (*schema.numeric, *schema.categorical)]
        careful = any(column.part or column.sentinels for column in schema.numeric)
        careful = careful or bool(schema.text or schema.series)
        self._get = itemgetter(*names) if len(names) > 1 and not careful and schema.kind == "table" else None
        self._split = len(schema.numeric)
        self._codes: list[dict[Any, int]] = [{None: MISSING, **_plain_codes(column)} for column in schema.categorical]

    def rows(self, records: Sequence[Mapping[str, Any]]) -> Rows:
        """Turn JSON objects into rows.

        Raises:
            RequestError: status 422; a feature is absent (named), or a value is of the wrong type.

        """
        if self._get is not None:
            try:
                parts = [self._fast(records[i : i + AT_ONCE]) for i in range(0, len(records), AT_ONCE)]
                return parts[0] if len(parts) == 1 else Rows.stack(parts)
            except (KeyError, TypeError, ValueError, OverflowError):
                return rows_from_records(self.schema, records)  # not plain: it is read with care, or its fault is named
        return rows_from_records(self.schema, records)

    def _fast(self, records: Sequence[Mapping[str, Any]]) -> Rows:
        get, split = self._get, self._split
        values = [get(record) for record in records]  # type: ignore[misc]
        block = [row[:split] for row in values]
        if not {kind for row in block for kind in map(type, row)} <= PLAIN:
            raise TypeError
        numeric = np.array(block, dtype=np.float64).reshape(len(values), split)
        codes = [[known[value] for known, value in zip(self._codes, row[split:], strict=True)] for row in values]
        categorical = np.array(codes, dtype=np.int32).reshape(len(values), len(self._codes))
        if not np.isfinite(numeric).all():
            numeric[np.isinf(numeric)] = np.nan
        return Rows(numeric, categorical)

    def tensors(self, tensors: Mapping[str, NDArray[Any]]) -> Rows:
        """Turn protocol tensors (``numeric``, ``categorical``, ``text``, ``image``, ``series``) into rows."""
        if self.schema.kind == "images":
            images = tensors["image"].astype(np.uint8)
            return Rows(np.empty((len(images), 0)), np.empty((len(images), 0), dtype=np.int32), images)
        count = len(next(iter(tensors.values())))
        numeric = tensors.get("numeric", np.empty((count, 0)))
        words = tensors.get("categorical", np.empty((count, 0), dtype=object))
        codes = np.empty(words.shape, dtype=np.int32)
        for j, column in enumerate(self.schema.categorical):
            codes[:, j] = [category_code(column, word) for word in words[:, j]]
        series = None
        if "series" in tensors:
            with np.errstate(over="ignore"):
                made = tensors["series"].astype(np.float32)
            series = np.where(np.isfinite(made), made, np.float32(np.nan))
        numeric = np.where(np.isinf(numeric), np.nan, numeric)
        for j, column in enumerate(self.schema.numeric):
            if column.sentinels and not column.part:
                numeric[np.isin(numeric[:, j], list(column.sentinels)), j] = np.nan
        return Rows(numeric, codes, text=self._text(tensors.get("text")), series=series)

    def _text(self, words: NDArray[Any] | None) -> NDArray[np.object_] | None:
        if words is None:
            return None
        text: NDArray[np.object_] = np.empty(words.shape, dtype=object)
        for j, column in enumerate(self.schema.text):
            text[:, j] = [text_of(column, word) for word in words[:, j]]
        return text


def listed(content: Any) -> Any:
    """Return the rows of a body in any of the forms that servers take; None where it is one row by itself.

    Forms: a list; ``{"rows": […]}``; ``{"instances": […]}`` (KServe v1); ``{"dataframe_records": […]}`` and
    ``{"dataframe_split": {"columns": […], "data": [[…]]}}`` (MLflow).

    Raises:
        RequestError: a ``dataframe_split`` that does not fit together.

    """
    if not isinstance(content, dict):
        return content
    for name in ("rows", "instances", "dataframe_records"):
        if isinstance(content.get(name), list):
            return content[name]
    split = content.get("dataframe_split")
    if not isinstance(split, dict):
        return None
    columns, data = split.get("columns"), split.get("data")
    if not isinstance(columns, list) or not isinstance(data, list) or not all(isinstance(c, str) for c in columns):
        raise RequestError("dataframe_split lacks columns or data", "names, and a list of values per row", status=422)
    for i, row in enumerate(data):
        if not isinstance(row, list) or len(row) != len(columns):
            raise RequestError(f"row {i} of dataframe_split does not fit", f"{len(columns)} values", status=422)
    return [dict(zip(columns, row, strict=True)) for row in data]


def numbers(values: Sequence[Any], what: str, columns: Sequence[Column] = ()) -> NDArray[np.float64]:
    """Turn a flat list of JSON numbers, texts and nulls into float64; null is missing.

    Args:
        values: row by row.
        what: their name, for errors.
        columns: the columns of a row, by which texts are read; none: plain decimal points.

    Shapes: (n,).

    Raises:
        RequestError: a value that is no number.

    """
    if {type(value) for value in values} <= PLAIN:
        try:
            return np.array(values, dtype=np.float64)
        except OverflowError:
            values = [float("nan") if isinstance(v, int) and abs(v) > 2**1023 else v for v in values]
    plain = (Column("", "numeric"),)
    row = tuple(replace(column, part="") if column.part else column for column in columns) or plain
    try:
        return np.array([_number(value, row[i % len(row)]) for i, value in enumerate(values)], dtype=np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise RequestError(f"{what} holds a value that is no number", "numbers, or null for missing") from error


def _number(value: Any, column: Column) -> float:
    if value is None:
        return float("nan")
    return number_of(column, value) if isinstance(value, str) else float(value)


def _plain_codes(column: Column) -> dict[str, int]:
    missing = column.missing
    return {
        word: code
        for word, code in column.codes.items()
        if word == word.strip() and not is_missing_word(word, missing, weak=False)
    }
