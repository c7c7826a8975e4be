"""Feather and Arrow files and streams, read by Polars; ORC, read by pyarrow: ``pip install 'temperance[orc]'``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from temperance.data import fingerprint
from temperance.data.base import Contents, Source
from temperance.data.workbook import needed
from temperance.records.errors import DataError


@dataclass(frozen=True)
class ArrowFile(Source):
    """One file of Arrow columns, or of ORC."""

    path: Path
    orc: bool = False

    def open(self, scratch: Path) -> Contents:
        reader = needed("pyarrow.orc", "orc", self.path) if self.orc else None
        try:
            frame = self._frame(reader)
        except (pl.exceptions.PolarsError, OSError, ValueError) as error:  # pyarrow's errors are the last two
            raise DataError(
                f"{self.path.name} cannot be read as {'ORC' if self.orc else 'Arrow'}: {str(error)[:150]}",
                "A complete Feather (version 2), Arrow or ORC file", "Write the file again, or pass Parquet",
            ) from error  # fmt: skip
        if not frame.height:
            raise DataError(f"{self.path.name} has columns but no rows", "At least a few rows", "Check the file")
        return Contents(frame, self.path.stem, fingerprint.of_file(self.path))

    def _frame(self, reader: Any) -> pl.DataFrame:
        if reader is not None:
            made = pl.from_arrow(reader.read_table(str(self.path)))
            return made if isinstance(made, pl.DataFrame) else made.to_frame()
        with self.path.open("rb") as stream:
            stream_of_batches = stream.read(4) == b"\xff\xff\xff\xff"
        return pl.read_ipc_stream(self.path) if stream_of_batches else pl.read_ipc(self.path)
