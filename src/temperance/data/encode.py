"""Write columns into the arrays that every other room reads: float64 numbers and int32 codes."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from temperance.data import texts, values
from temperance.data.base import LARGE_BYTES, Contents
from temperance.records.errors import DataError, nearest
from temperance.records.moments import date_part
from temperance.records.rows import category_code
from temperance.records.schema import MISSING, UNSEEN, Column, Rows, Schema


def encode(contents: Contents, schema: Schema, keep: NDArray[np.bool_], folder: Path | None) -> tuple[Rows, list[str]]:
    """Write the rows of ``contents`` that ``keep`` names.

    Args:
        contents: an opened source.
        schema: the columns to write.
        keep: (b,) rows that are kept.
        folder: where large arrays are memory-mapped; None keeps them in memory.

    Returns:
        The rows and notes (unseen categories, words among numbers).

    Raises:
        DataError: a column of the schema is absent.

    """
    store = _Store(contents.fingerprint[:16], folder)
    if contents.images is not None:
        return _images(contents.images, keep, store), []
    require(contents, schema.columns)
    numeric = store.new("numeric", (int(keep.sum()), len(schema.numeric)), np.float64)
    codes = store.new("categorical", (int(keep.sum()), len(schema.categorical)), np.int32)
    notes: list[str] = []
    done, read = "", values.Numbers(np.empty(0), pl.Series([], dtype=pl.String), 0)
    for j, column in enumerate(schema.numeric):
        source = column.source or column.name
        if done != source:  # the parts of a date share one reading
            done, read = source, _numbers(contents.column(source), column)
            notes += _said(column, read)
        numeric[:, j] = date_part(read.values, column.part)[keep] if column.part else read.values[keep]
    for j, column in enumerate(schema.categorical):
        codes[:, j] = category_codes(contents.column(column.source or column.name), column)[keep]
        strange = int((codes[:, j] == UNSEEN).sum())
        if strange:
            notes.append(f"Column {column.name!r} holds {strange:,} values of unknown categories.")
    text = None
    if schema.text:
        text = np.empty((int(keep.sum()), len(schema.text)), dtype=object)
        for j, column in enumerate(schema.text):
            text[:, j] = texts.cells(contents.column(column.source or column.name), column)[keep]
    return Rows(store.done(numeric), store.done(codes), None, text, _series(contents, schema, keep, store)), notes


def _images(images: NDArray[np.uint8], keep: NDArray[np.bool_], store: _Store) -> Rows:
    rows = int(keep.sum())
    kept = store.new("images", (rows, *images.shape[1:]), np.uint8)
    places = np.flatnonzero(keep)
    for start in range(0, rows, 4096):
        kept[start : start + 4096] = images[places[start : start + 4096]]
    return Rows(np.empty((rows, 0)), np.empty((rows, 0), dtype=np.int32), store.done(kept))


def _series(contents: Contents, schema: Schema, keep: NDArray[np.bool_], store: _Store) -> NDArray[np.float32] | None:
    if not schema.series or contents.series is None:
        return None
    names = [channel.name for channel in contents.channels]
    places = [names.index(column.name) for column in schema.series]
    kept = store.new("series", (int(keep.sum()), len(places), contents.series.shape[2]), np.float32)
    kept[:] = contents.series[keep][:, places]
    made: NDArray[np.float32] = store.done(kept)
    return made


def require(contents: Contents, columns: Sequence[Column]) -> None:
    """Refuse a source that lacks a column of the schema, by name.

    Raises:
        DataError: it lacks one.

    """
    names = (*contents.names, *(c.name for c in contents.channels))
    missing = [name for name in dict.fromkeys(c.source or c.name for c in columns) if name not in names]
    if missing:
        shown = ", ".join(repr(name) for name in missing[:5]) + (" …" if len(missing) > 5 else "")
        raise DataError(
            f"{contents.name} lacks {'the column' if len(missing) == 1 else f'{len(missing)} columns:'} {shown}",
            "Every column that the model was trained on, with the same name",
            nearest(missing[0], names) or "Add the column; leave its fields empty where the value is not known",
        )


def category_codes(series: pl.Series, column: Column) -> NDArray[np.int32]:
    """Return codes (b,) int32 into the vocabulary, ``MISSING`` or ``UNSEEN``."""
    text = values.categories(series, column.missing)
    found = text.replace_strict(column.codes, default=UNSEEN, return_dtype=pl.Int32)
    strange = text.filter(found == UNSEEN).drop_nulls().unique().to_list()
    near = {word: code for word in strange if (code := category_code(column, word)) != UNSEEN}
    if near:
        found = text.replace_strict({**column.codes, **near}, default=UNSEEN, return_dtype=pl.Int32)
    found = found.zip_with(text.is_not_null(), pl.Series([MISSING], dtype=pl.Int32))
    return np.array(found.to_numpy(), dtype=np.int32)


def _numbers(series: pl.Series, column: Column) -> values.Numbers:
    if column.part:
        return values.days(series, pattern=column.format, missing=column.missing)
    return values.numbers(series, column.style, column.missing)


def _said(column: Column, read: values.Numbers) -> list[str]:
    name, notes = column.source or column.name, []
    if len(read.words):
        kind = f"dates ({column.format or 'iso'})" if column.part else f"numbers (like {column.style.example})"
        shown = ", ".join(repr(word[:20]) for word in sorted(read.words.unique().head(1000).to_list())[:3])
        notes.append(f"Column {name!r} holds {len(read.words):,} words where {kind} belong ({shown}): read as missing.")
    if read.infinite:
        notes.append(f"Column {name!r} holds {read.infinite:,} infinite values: read as missing.")
    return notes


class _Store:
    """New arrays, in memory or (when large and there is a folder) in ``.npy`` files."""

    def __init__(self, stem: str, folder: Path | None) -> None:
        self._stem, self._folder = stem, folder
        self._files: dict[int, tuple[Path, Path]] = {}

    def new(self, role: str, shape: tuple[int, ...], dtype: Any) -> NDArray[Any]:
        """Return an array to fill."""
        size = math.prod(shape) * np.dtype(dtype).itemsize
        if self._folder is None or size <= LARGE_BYTES:
            return np.empty(shape, dtype=dtype)
        final = self._folder / f"{self._stem}.{role}.npy"
        draft = self._folder / f"{self._stem}.{role}.{os.getpid()}.tmp"
        try:
            array = np.lib.format.open_memmap(draft, mode="w+", dtype=dtype, shape=shape)
            with draft.open("r+b") as stream:  # a file with holes would kill the process on a full disk, later
                os.posix_fallocate(stream.fileno(), 0, draft.stat().st_size)
        except OSError as error:
            draft.unlink(missing_ok=True)
            raise DataError(
                f"{size / 2**20:,.0f} MiB cannot be written to {self._folder} ({error.strerror})",
                "A folder with room for the data as numbers",
                "Free some disk space, or choose another folder",
            ) from error
        self._files[id(array)] = draft, final
        return array

    def done(self, array: NDArray[Any]) -> NDArray[Any]:
        """Return the filled array; a memory-mapped one is put in place and opened read-only."""
        if id(array) not in self._files:
            return array
        draft, final = self._files.pop(id(array))
        array.flush()  # type: ignore[attr-defined]
        os.replace(draft, final)
        mapped: NDArray[Any] = np.load(final, mmap_mode="r", allow_pickle=False)
        return mapped
