"""Columns that were read, until all rows are written: in memory, or (when long) in files of the scratch folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

LONG_BYTES = 4 * 2**20
BLOCK = 65_536


class Kept:
    """Values by name; long ones stand in files, so that a table larger than the memory can be put together."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._arrays: dict[str, NDArray[Any]] = {}
        self._files: dict[str, tuple[Path, np.dtype[Any], int]] = {}

    def __contains__(self, name: str) -> bool:
        return name in self._arrays or name in self._files

    def put(self, name: str, values: NDArray[Any]) -> None:
        """Keep values.

        Shapes: values (b,).
        """
        if self._folder is None or values.nbytes < LONG_BYTES:
            self._arrays[name] = values
            return
        path = self._folder / f"kept-{len(self._files)}-{abs(hash(name))}.bin"
        values.tofile(path)
        self._files[name] = path, values.dtype, len(values)

    def block(self, name: str, start: int, stop: int) -> NDArray[Any]:
        """Return values from ``start`` up to ``stop``.

        Shapes: (stop − start,).
        """
        if name in self._arrays:
            return self._arrays[name][start:stop]
        path, kind, length = self._files[name]
        count = max(0, min(stop, length) - start)
        return np.fromfile(path, dtype=kind, count=count, offset=start * kind.itemsize)

    def blocks(self, names: list[tuple[str, str]], keep: NDArray[np.bool_]) -> Iterator[list[tuple[NDArray[Any], str]]]:
        """Give block after block of the columns of ``names`` (with what belongs to each), the rows of ``keep`` alone.

        Shapes: keep (b,).
        """
        for start in range(0, len(keep), BLOCK):
            mask = keep[start : start + BLOCK]
            yield [(self.block(name, start, start + BLOCK)[mask], part) for name, part in names]
