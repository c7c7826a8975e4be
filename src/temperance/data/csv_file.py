"""CSV, TSV and other text with separators: every field is read as text; types are found later, from whole columns."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from temperance.data import fingerprint
from temperance.data.base import LARGE_BYTES, Contents, Source
from temperance.data.lines import even_rows, evenness, rewrite
from temperance.data.odd_rows import odd_rows, without_headers
from temperance.data.sampling import ALL, Cap, draw, lines_about, sentence
from temperance.data.text import Dialect, inspect
from temperance.records.errors import DataError

HEAD = 256 * 1024  # bytes by which the lines of a file are guessed
ROOMY = 8  # times the file that must be free on the disk for a copy as it lies in memory, which is twice the file


@dataclass(frozen=True)
class CsvFile(Source):
    """A text file with a header line. Files above ``large_bytes`` pass through a Parquet file in the scratch folder."""

    path: Path
    large_bytes: int = LARGE_BYTES
    separator: str = ""
    cap: Cap = ALL

    def open(self, scratch: Path) -> Contents:
        size = self.path.stat().st_size
        if size == 0:
            raise DataError(f"{self.path.name} is empty", "A header line and one line per row", "Check the file")
        return self.read(inspect(self.path, self.separator), scratch)

    def read(self, dialect: Dialect, scratch: Path) -> Contents:
        """Read a file that is written as ``dialect`` says.

        Raises:
            DataError: it cannot be read so.

        """
        frame, notes = self._frame(dialect, scratch)
        dropped: tuple[dict[str, Any], ...] = ()
        if isinstance(frame, pl.DataFrame):  # a large file, or a sample, has no odd first and last rows to look for
            frame, said, left = without_headers(frame)
            first, end, more, dropped = odd_rows(frame)
            frame, dropped = frame[first:end], (*left, *dropped)
            notes = (*notes, *said, *more)
        digest = fingerprint.of_file(self.path)
        return Contents(
            frame, self.path.stem, digest, notes=(*dialect.notes, *notes), dropped=dropped, separator=dialect.separator
        )

    def _frame(self, dialect: Dialect, scratch: Path) -> tuple[pl.DataFrame | pl.LazyFrame, tuple[str, ...]]:
        """Read by the fast reader where the file is plain; else, or where that fails, line by line first."""
        large = self.path.stat().st_size > self.large_bytes
        width, lines, full = len(dialect.header), "unusual", False
        if not dialect.transcode:
            count, full = even_rows(self.path, dialect.separator, width) if large else (0, False)
            lines = "even" if count else evenness(self.path, dialect.separator, width)
        if lines == "even" or (lines == "quoted" and large):
            try:
                known = {"quoted": lines == "quoted", "full": full}
                return self._collect(self.path, dialect.separator, dialect.header, dialect.skip + 1, scratch, **known)
            except (pl.exceptions.PolarsError, OSError):
                lines = "unusual"  # what it stumbles over is named by the slow road
        copy = scratch / "plain.csv"
        try:
            header, notes = rewrite(self.path, dialect, copy)
            frame, more = self._collect(copy, ",", header, 0, scratch)
            return frame, (*more, *notes)
        except (pl.exceptions.PolarsError, OSError) as error:
            raise DataError(
                f"{self.path.name} cannot be read as a text table: {str(error).split(chr(10), 1)[0][:200]}",
                "One line per row, quotes closed, and room for a copy on the disk",
                "Open the file in an editor and look for a broken line",
            ) from error

    def _collect(
        self,
        path: Path,
        separator: str,
        header: Sequence[str],
        skip: int,
        scratch: Path,
        *,
        quoted: bool = False,
        full: bool = False,
    ) -> tuple[pl.DataFrame | pl.LazyFrame, tuple[str, ...]]:
        lazy = pl.scan_csv(
            path, separator=separator, schema={name: pl.String() for name in header}, has_header=False, skip_lines=skip,
            glob=False,
        )  # fmt: skip
        if quoted:  # an empty text in quotes is no value, as without them
            lazy = lazy.select(pl.when(pl.all() != "").then(pl.all()))
        if not full:  # a line of separators alone is no row
            lazy = lazy.filter(~pl.all_horizontal(pl.all().is_null()))
        frame: pl.DataFrame | pl.LazyFrame
        try:
            most = self.cap.most(len(header))
            if self.path.stat().st_size <= self.large_bytes:
                frame = lazy.collect()
                rows = frame.height
            elif most and _may_exceed(path, most):
                drawn = draw(lazy.collect_batches(maintain_order=True), most)
                return drawn.frame.lazy(), ((sentence(drawn, self.cap),) if drawn.total > most else ())
            else:
                frame = _spilled(lazy, scratch, self.path.stat().st_size)
                rows = frame.select(pl.len()).collect().item()
        except pl.exceptions.NoDataError:
            rows = 0
        if rows == 0:
            raise DataError(
                f"{self.path.name} has a header but no rows", "One line per row below the header", "Check the file"
            )
        return frame, ()


def _may_exceed(path: Path, most: int) -> bool:
    """Tell whether a file may have more lines: by its first ones, which may be twice as long as the others."""
    with path.open("rb") as stream:
        head = stream.read(HEAD)
    return 2 * lines_about(head, path.stat().st_size) > most


def _spilled(lazy: pl.LazyFrame, scratch: Path, size: int) -> pl.LazyFrame:
    """Write columns to the scratch folder: as they lie in memory where there is room, else packed."""
    if shutil.disk_usage(scratch).free > ROOMY * size:
        lazy.sink_ipc(scratch / "columns.arrow", compression="uncompressed")
        return pl.scan_ipc(scratch / "columns.arrow", glob=False)
    lazy.sink_parquet(scratch / "columns.parquet", row_group_size=250_000, compression="lz4")
    return pl.scan_parquet(scratch / "columns.parquet", glob=False)
