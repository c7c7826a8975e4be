"""Write columns into the arrays that every other room reads: float64 numbers and int32 codes."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from temperance.data import sets, texts, values
from temperance.data.base import LARGE_BYTES, Contents
from temperance.data.judge import Reader
from temperance.data.kept import Kept
from temperance.data.misfits import SHOWN, Misfit
from temperance.records.errors import DataError, nearest
from temperance.records.members import HAS
from temperance.records.moments import date_part
from temperance.records.rows import category_code
from temperance.records.schema import MISSING, UNSEEN, Column, Rows, Schema


def encode(
    contents: Contents, schema: Schema, keep: NDArray[np.bool_], folder: Path | None
) -> tuple[Rows, list[Misfit]]:
    """Write the rows of ``contents`` that ``keep`` names.

    Args:
        contents: an opened source.
        schema: the columns to write.
        keep: (b,) rows that are kept.
        folder: where large arrays are memory-mapped; None keeps them in memory.

    Returns:
        The rows and what does not fit (unseen categories, words among numbers).

    Raises:
        DataError: a column of the schema is absent.

    """
    store = _Store(contents.fingerprint[:16], folder)
    rows = int(keep.sum())
    if contents.images is not None:
        images = store.write("images", (rows, *contents.images.shape[1:]), np.uint8, _images(contents.images, keep))
        return Rows(np.empty((rows, 0)), np.empty((rows, 0), dtype=np.int32), images), []
    require(contents, schema.columns)
    misfits = _read(contents, schema)
    numbers = [(_key(column), column.part) for column in schema.numeric]
    numeric = store.write(
        "numeric", (rows, len(numbers)), np.float64,
        (_side([date_part(one, part) if part else one for one, part in block])
         for block in contents.kept.blocks(numbers, keep)) if numbers else (),
    )  # fmt: skip
    words = [(_key(column), "") for column in schema.categorical]
    codes = store.write(
        "categorical", (rows, len(words)), np.int32,
        (_side([one for one, _ in block]) for block in contents.kept.blocks(words, keep)) if words else (),
    )  # fmt: skip
    for j, column in enumerate(schema.categorical):
        strange = int((codes[:, j] == UNSEEN).sum())
        if strange:
            misfits.append(Misfit(column.name, "unknown", strange))
    return Rows(numeric, codes, None, _texts(contents, schema, keep), _series(contents, schema, keep, store)), misfits


def column_values(kept: Kept, column: Column, keep: NDArray[np.bool_]) -> NDArray[Any]:
    """Return the numbers or codes of a column that was written, the rows of ``keep`` alone.

    Shapes: keep (b,) → (kept rows,).
    """
    found = np.concatenate([block[0][0] for block in kept.blocks([(_key(column), "")], keep)])
    return date_part(found, column.part) if column.part else found


def keep_column(kept: Kept, series: pl.Series, columns: Sequence[Column], reader: Reader | None) -> None:
    """Keep what a column gives, so that it is not read again.

    Args:
        kept: where to.
        series: the column.
        columns: its inputs.
        reader: how it was read, with its numbers or texts.

    """
    if columns and columns[0].kind == "numeric" and reader is not None and reader.found is not None:
        kept.put(_key(columns[0]), reader.found.values)
    elif columns and columns[0].kind == "categorical":
        kept.put(_key(columns[0]), category_codes(series, columns[0], reader.text if reader is not None else None))
    for column in columns:
        if column.part.startswith(HAS):
            kept.put(_key(column), _holds(series, column))


def source_of(column: Column) -> str:
    """Return the column of the file."""
    return column.source or column.name


def _read(contents: Contents, schema: Schema) -> list[Misfit]:
    """Read the columns that were not read yet."""
    misfits: list[Misfit] = []
    for column in schema.numeric:
        if _key(column) in contents.kept:  # the parts of a date share one reading
            continue
        series = contents.column(source_of(column))
        if column.part.startswith(HAS):
            contents.kept.put(_key(column), _holds(series, column))
            continue
        found = _numbers(series, column)
        misfits += _misfits(column, found)
        contents.kept.put(_key(column), found.values)
    for column in schema.categorical:
        if _key(column) not in contents.kept:
            contents.kept.put(_key(column), category_codes(contents.column(source_of(column)), column))
    return misfits


def _key(column: Column) -> str:
    if column.kind == "categorical" or column.part.startswith(HAS):
        return f"{column.kind} {column.name}"
    return f"read {source_of(column)}"


def _holds(series: pl.Series, column: Column) -> NDArray[np.float64]:
    return sets.held(series, column.part.removeprefix(HAS), column.format, column.missing)


def _side(columns: Sequence[NDArray[Any]]) -> NDArray[Any]:
    return np.stack(columns, axis=1)


def _images(images: NDArray[np.uint8], keep: NDArray[np.bool_]) -> Iterator[NDArray[Any]]:
    places = np.flatnonzero(keep)
    return (images[places[start : start + 4096]] for start in range(0, len(places), 4096))


def _texts(contents: Contents, schema: Schema, keep: NDArray[np.bool_]) -> NDArray[np.object_] | None:
    if not schema.text:
        return None
    text: NDArray[np.object_] = np.empty((int(keep.sum()), len(schema.text)), dtype=object)
    for j, column in enumerate(schema.text):
        text[:, j] = texts.cells(contents.column(source_of(column)), column)[keep]
    return text


def _series(contents: Contents, schema: Schema, keep: NDArray[np.bool_], store: _Store) -> NDArray[np.float32] | None:
    if not schema.series or contents.series is None:
        return None
    names = [channel.name for channel in contents.channels]
    places = [names.index(column.name) for column in schema.series]
    shape = (int(keep.sum()), len(places), contents.series.shape[2])
    made: NDArray[np.float32] = store.write("series", shape, np.float32, [contents.series[keep][:, places]])
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


def category_codes(series: pl.Series, column: Column, cleaned: pl.Series | None = None) -> NDArray[np.int32]:
    """Return codes (b,) int32 into the vocabulary, ``MISSING`` or ``UNSEEN``; ``cleaned``: its texts, if known."""
    text = values.categories(series, column.missing) if cleaned is None else cleaned
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


def _misfits(column: Column, read: values.Numbers) -> list[Misfit]:
    name, found = column.source or column.name, []
    if len(read.words):
        kind = f"dates ({column.format or 'iso'})" if column.part else f"numbers (like {column.style.example})"
        shown = tuple(sorted(read.words.unique().head(1000).to_list())[:SHOWN])
        found.append(Misfit(name, "words", len(read.words), kind, shown))
    if read.infinite:
        found.append(Misfit(name, "infinite", read.infinite))
    return found


class _Store:
    """New arrays, in memory or (when large and there is a folder) in ``.npy`` files."""

    def __init__(self, stem: str, folder: Path | None) -> None:
        self._stem, self._folder = stem, folder

    def write(self, role: str, shape: tuple[int, ...], dtype: Any, blocks: Iterable[NDArray[Any]]) -> NDArray[Any]:
        """Return an array of these blocks of rows; a large one is written to its file and opened read-only.

        Raises:
            DataError: the disk is full.

        """
        size = math.prod(shape) * np.dtype(dtype).itemsize
        if self._folder is None or size <= LARGE_BYTES:
            array, place = np.empty(shape, dtype=dtype), 0
            for block in blocks:
                array[place : place + len(block)] = block
                place += len(block)
            return array
        final = self._folder / f"{self._stem}.{role}.npy"
        draft = self._folder / f"{self._stem}.{role}.{os.getpid()}.tmp"
        try:
            with draft.open("wb") as stream:
                header = np.lib.format.header_data_from_array_1_0(np.empty(0, dtype=dtype))
                np.lib.format.write_array_header_1_0(stream, header | {"shape": shape})
                stream.flush()  # a full disk is an error before the work, not after it
                if hasattr(os, "posix_fallocate"):  # macOS and Windows have none
                    os.posix_fallocate(stream.fileno(), 0, stream.tell() + size)
                for block in blocks:
                    stream.write(np.ascontiguousarray(block, dtype=dtype).data)
        except OSError as error:
            draft.unlink(missing_ok=True)
            raise DataError(
                f"{size / 2**20:,.0f} MiB cannot be written to {self._folder} ({error.strerror})",
                "A folder with room for the data as numbers",
                "Free some disk space, or choose another folder",
            ) from error
        os.replace(draft, final)
        mapped: NDArray[Any] = np.load(final, mmap_mode="r", allow_pickle=False)
        return mapped
