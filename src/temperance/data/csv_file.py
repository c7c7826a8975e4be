"""CSV, TSV and other text with separators: every field is read as text; types are found later, from whole columns."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from temperance.data import fingerprint
from temperance.data.base import LARGE_BYTES, Contents, Source
from temperance.data.text import Dialect, inspect
from temperance.records.errors import DataError


@dataclass(frozen=True)
class CsvFile(Source):
    """A text file with a header line. Files above ``large_bytes`` pass through a Parquet file in the scratch folder."""

    path: Path
    large_bytes: int = LARGE_BYTES

    def open(self, scratch: Path) -> Contents:
        if self.path.stat().st_size == 0:
            raise DataError(f"{self.path.name} is empty", "A header line and one line per row", "Check the file")
        dialect = inspect(self.path)
        path = _transcode(self.path, dialect, scratch) if dialect.transcode else self.path
        lazy = pl.scan_csv(
            path,
            separator=dialect.separator,
            schema={name: pl.String() for name in dialect.header},
            has_header=False,
            skip_rows=dialect.skip + 1,
            glob=False,
        )
        lazy = lazy.filter(~pl.all_horizontal(pl.all().is_null()))
        frame = self._collect(lazy, scratch)
        return Contents(frame, name=self.path.stem, fingerprint=fingerprint.of_file(self.path), notes=dialect.notes)

    def _collect(self, lazy: pl.LazyFrame, scratch: Path) -> pl.DataFrame | pl.LazyFrame:
        try:
            if self.path.stat().st_size <= self.large_bytes:
                frame = lazy.collect()
                rows = frame.height
            else:
                copy = scratch / "columns.parquet"
                lazy.sink_parquet(copy, row_group_size=250_000, compression="lz4")
                frame = pl.scan_parquet(copy)
                rows = frame.select(pl.len()).collect().item()
        except (pl.exceptions.PolarsError, OSError) as error:
            raise _refuse(self.path, error) from error
        if rows == 0:
            raise DataError(
                f"{self.path.name} has a header but no rows", "One line per row below the header", "Check the file"
            )
        return frame


def _transcode(path: Path, dialect: Dialect, scratch: Path) -> Path:
    copy = scratch / "utf8.csv"
    with (
        path.open(encoding=dialect.encoding, newline=None) as source,
        copy.open("w", encoding="utf-8", newline="\n") as out,
    ):
        while block := source.read(2**20):
            out.write(block)
    return copy


def _refuse(path: Path, error: Any) -> DataError:
    text = str(error).split("\n", 1)[0][:200]
    if "more fields" in text:
        return DataError(
            f"{path.name}: a line holds more fields than the header",
            "As many fields in each line as in the header",
            "Put quotes round texts that hold the separator, or correct the line",
        )
    return DataError(
        f"{path.name} cannot be read as a text table: {text}",
        "One line per row, quotes closed",
        "Open the file in an editor and look for an unclosed quote or a broken line",
    )
