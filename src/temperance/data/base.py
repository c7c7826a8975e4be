"""What a source of data is, and what it opens to: columns that are read one at a time, and perhaps images."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from temperance.data.kept import Kept
from temperance.records.errors import DataError, nearest
from temperance.records.schema import Column

#: Above this size a file is read column by column, and arrays go to memory-mapped files.
LARGE_BYTES = 64 * 2**20


@dataclass(frozen=True, eq=False)
class Contents:
    """An opened source.

    Attributes:
        frame: the columns; a lazy frame is read one column at a time.
        name: what to call the data in a report.
        fingerprint: SHA-256 of the file, the folder or the arrays.
        images: (b, h, w, c) uint8, or None for a table.
        target: name of the target column where the source itself fixes it, else empty.
        plain: the columns come from arrays without names: none of them is taken for a key.
        notes: what the reader did, in plain sentences.
        dropped: what was left out: ``{"rows": n, "column": None, "why": sentence}``.
        separator: sign between the fields of a text file, else empty.
        series: (b, c, length) float32, NaN behind the end of a series and in its gaps; or None.
        channels: the c channels.
        labels: names of the series (b,), where a long table has them.
        kept: columns that were read already.
        files: name of the file of each row, of a folder of images.

    """

    frame: pl.DataFrame | pl.LazyFrame
    name: str
    fingerprint: str
    images: NDArray[np.uint8] | None = None
    target: str = ""
    plain: bool = False
    notes: tuple[str, ...] = ()
    dropped: tuple[dict[str, Any], ...] = field(default=())
    separator: str = ""
    series: NDArray[np.float32] | None = None
    channels: tuple[Column, ...] = ()
    labels: tuple[str, ...] = ()
    kept: Kept = field(default_factory=Kept)
    files: tuple[str, ...] = ()

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Names of the columns, in file order."""
        return tuple(self.frame.collect_schema().names())

    def column(self, name: str) -> pl.Series:
        """Read one column; a ``DataError`` names the nearest one where there is none of that name.

        Raises:
            DataError: there is no such column.

        """
        if name not in self.names:
            shown = ", ".join(repr(n) for n in self.names[:12]) + (" …" if len(self.names) > 12 else "")
            raise DataError(
                f"There is no column {name!r} in {self.name}",
                f"The columns are {shown or 'none'}",
                nearest(name, self.names) or "Check the name and the header line of the file",
            )
        if isinstance(self.frame, pl.DataFrame):
            return self.frame[name]
        return self.frame.select(name).collect(engine="streaming").to_series()

    @property
    def rows(self) -> int:
        """Count the rows of the table."""
        return int(self.frame.lazy().select(pl.len()).collect().item())

    def texts(self, rows: int) -> Iterator[pl.Series]:
        """Give the first rows of each column of text."""
        for name, kind in self.frame.collect_schema().items():
            if kind == pl.String:
                yield self.frame.lazy().select(name).head(rows).collect().to_series()


@dataclass(frozen=True)
class Source(ABC):
    """Where data comes from. One subclass per format; ``open`` runs no code of the file."""

    @abstractmethod
    def open(self, scratch: Path) -> Contents:
        """Open the source; ``scratch`` is a folder for large intermediate files.

        Raises:
            DataError: the source is missing, empty, damaged or not of this format.

        """
