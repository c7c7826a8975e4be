"""SHA-256 of what was read: a file, a folder of files, or arrays."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
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


def of_arrays(arrays: Iterable[NDArray[Any]]) -> str:
    """Return the SHA-256 over types, shapes and values of arrays; objects are read as text."""
    digest = hashlib.sha256()
    for array in arrays:
        values = array.astype(str) if array.dtype == object else array
        digest.update(f"{values.dtype.str}{values.shape}".encode())
        digest.update(np.ascontiguousarray(values).tobytes())
    return digest.hexdigest()
