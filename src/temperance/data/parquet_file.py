"""A Parquet file, or a folder of Parquet files with the same columns."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from temperance.data import fingerprint
from temperance.data.base import LARGE_BYTES, Contents, Source
from temperance.records.errors import DataError


@dataclass(frozen=True)
class ParquetFiles(Source):
    """One file, or all ``*.parquet`` below a folder, in the order of their names."""

    path: Path
    large_bytes: int = LARGE_BYTES

    def open(self, scratch: Path) -> Contents:
        folder = self.path.is_dir()
        files = sorted(self.path.rglob("*.parquet")) if folder else [self.path]
        if sum(file.stat().st_size for file in files) == 0:
            raise DataError(f"{self.path.name} is empty", "A Parquet file with rows", "Check the file")
        try:
            lazy = pl.scan_parquet(files, glob=False)
            rows = lazy.select(pl.len()).collect().item()
            width = len(lazy.collect_schema())
            frame = lazy.collect() if rows * width * 8 <= self.large_bytes else lazy
        except pl.exceptions.PolarsError as error:
            raise DataError(
                f"{self.path.name} cannot be read as Parquet: {str(error).split(chr(10), 1)[0][:200]}",
                "A complete Parquet file, or a folder of Parquet files with the same columns",
                "Write the file again, or pass CSV",
            ) from error
        if rows == 0:
            raise DataError(f"{self.path.name} has columns but no rows", "At least a few rows", "Check the file")
        notes = (f"{len(files)} Parquet files were read as one table.",) if len(files) > 1 else ()
        digest = fingerprint.of_files(files, root=self.path) if folder else fingerprint.of_file(self.path)
        return Contents(frame, name=_name(self.path), fingerprint=digest, notes=notes)


def _name(path: Path) -> str:
    plain = path.name if path.is_dir() else path.stem
    return path.resolve().parent.name if plain == "data" else plain
