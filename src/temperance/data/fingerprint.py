"""SHA-256 of what was read: a file, a folder of files, or arrays."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray


def of_file(path: Path) -> str:
    """Return the SHA-256 of a file, read in pieces."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def of_files(paths: Iterable[Path], *, root: Path) -> str:
    """Return the SHA-256 over names (relative to ``root``) and contents of files, in the order given."""
    digest = hashlib.sha256()
    for path in paths:
        digest.update(path.relative_to(root).as_posix().encode())
        digest.update(bytes.fromhex(of_file(path)))
    return digest.hexdigest()


def of_frame(columns: Iterable[pl.Series]) -> str:
    """Return the SHA-256 over names, types and values of columns."""
    digest = hashlib.sha256()
    for series in columns:
        digest.update(f"{series.name}|{series.dtype}|{len(series)}|".encode())
        if series.dtype.is_numeric() and series.null_count() == 0:
            digest.update(np.ascontiguousarray(series.to_numpy()).tobytes())
            continue
        text = series if series.dtype.is_nested() or series.dtype == pl.Binary else series.cast(pl.String)
        for start in range(0, len(text), 65_536):
            words = text.slice(start, 65_536).to_list()
            digest.update("\x1f".join("\x00" if word is None else str(word) for word in words).encode())
    return digest.hexdigest()


def of_arrays(arrays: Iterable[NDArray[Any]]) -> str:
    """Return the SHA-256 over types, shapes and values of numeric arrays.

    Shapes: any; the shape is part of the fingerprint.
    """
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(f"{array.dtype.str}{array.shape}".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def of_rows(frame: pl.DataFrame | pl.LazyFrame, arrays: NDArray[Any] | None = None) -> str:
    """Return the SHA-256 over rows that is the same in any order of rows and columns, and for ``1`` and ``1.0``.

    Args:
        frame: the columns (b rows each).
        arrays: pictures or series of the rows (b, …), or None.

    """
    lazy, marks, rows = frame.lazy(), list[bytes](), 0
    names = sorted(lazy.collect_schema().names())
    height = int(lazy.select(pl.len()).collect().item()) if arrays is None else len(arrays)
    for start in range(0, height, 65_536):
        part = lazy.select(names).slice(start, 65_536).collect()
        rows = part.height or min(65_536, height - start)
        cells = [_words(series) for series in part] or [[""] * rows]
        shapes = (
            [b""] * rows if arrays is None else [np.ascontiguousarray(one).tobytes() for one in arrays[start:][:rows]]
        )
        for row, shape in zip(zip(*cells, strict=True), shapes, strict=True):
            marks.append(hashlib.blake2b("\x1f".join(row).encode() + b"\x1e" + shape, digest_size=16).digest())
    digest = hashlib.sha256("\x1f".join(names).encode())
    digest.update(b"".join(sorted(marks)))
    return digest.hexdigest()


def _words(series: pl.Series) -> list[str]:
    """Return the cells as texts, numbers as Polars writes them."""
    if series.dtype.is_nested() or series.dtype in (pl.Binary, pl.Object):
        return [str(cell) for cell in series.to_list()]
    text = series.cast(pl.String).str.strip_chars()
    plain = text.cast(pl.Float64, strict=False).cast(pl.String)
    return list(plain.fill_null(text).fill_null("\x00").to_list())
