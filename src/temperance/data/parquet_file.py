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
            lazy = _scan(files, self.path) if folder else pl.scan_parquet(files, glob=False)
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
        notes = (f"{len(files)} Parquet files were read as one table.", *_absent(files)) if len(files) > 1 else ()
        digest = fingerprint.of_files(files, root=self.path) if folder else fingerprint.of_file(self.path)
        return Contents(frame, name=_name(self.path), fingerprint=digest, notes=notes)


def _scan(files: list[Path], root: Path) -> pl.LazyFrame:
    """Read the files of a folder as one table: types and columns may differ, folders such as ``year=2023`` are columns.

    Raises:
        pl.exceptions.PolarsError: a file is damaged, or two files hold types of one column that do not go together.

    """
    hive = all("=" in part for file in files for part in file.relative_to(root).parts[:-1]) and files[0].parent != root
    schemas = [pl.read_parquet_schema(file) for file in files]
    if all(schema == schemas[0] for schema in schemas):
        return pl.scan_parquet(files, glob=False, hive_partitioning=hive)
    parts = [pl.scan_parquet(file, glob=False, hive_partitioning=False) for file in files]
    if hive:
        pairs = [[part.split("=", 1) for part in file.relative_to(root).parts[:-1]] for file in files]
        parts = [part.with_columns(pl.lit(v).alias(k) for k, v in own) for part, own in zip(parts, pairs, strict=True)]
    return pl.concat(parts, how="diagonal_relaxed")


def _absent(files: list[Path]) -> list[str]:
    """Say which columns some of the files lack."""
    names = [pl.read_parquet_schema(file).keys() for file in files]
    lacking = {}
    for name in dict.fromkeys(name for one in names for name in one):
        without = [file for file, one in zip(files, names, strict=True) if name not in one]
        if without:
            lacking[name] = f"{name!r} in {len(without):,} (such as {without[0].name})"
    if not lacking:
        return []
    shown = "; ".join(list(lacking.values())[:5]) + (" …" if len(lacking) > 5 else "")
    return [f"Columns that some of the {len(files)} files lack count as missing in their rows: {shown}."]


def _name(path: Path) -> str:
    plain = path.name if path.is_dir() else path.stem
    return path.resolve().parent.name if plain == "data" else plain
