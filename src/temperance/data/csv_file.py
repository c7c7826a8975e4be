"""CSV, TSV and other text with separators: every field is read as text; types are found later, from whole columns."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from temperance.data import fingerprint
from temperance.data.base import LARGE_BYTES, Contents, Source
from temperance.data.lines import even_rows, evenness, rewrite
from temperance.data.odd_rows import odd_rows, without_headers
from temperance.data.plain_columns import OnePass, TextFile, one_pass
from temperance.data.sampling import ALL, Cap, draw, lines_about, sentence
from temperance.data.text import Dialect, inspect
from temperance.records.errors import DataError

HEAD = 256 * 1024  # bytes by which the lines of a file are guessed
ROOMY = 8  # times the file that must be free on the disk for a copy as it lies in memory, which is twice the file


@dataclass(frozen=True)
class CsvFile(Source):
    """A text file with a header line. Files above ``large_bytes`` are read once, and their columns lie on the disk.

    Attributes:
        path: the file.
        large_bytes: size above which it is large.
        separator: sign between fields; empty: found out.
        cap: rows that are read at most.
        apart: columns of which the text is wanted.
        plain: columns of plain numbers of a large file are read as such.

    """

    path: Path
    large_bytes: int = LARGE_BYTES
    separator: str = ""
    cap: Cap = ALL
    apart: tuple[str, ...] = ()
    plain: bool = True

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
        frame, notes, once = self._frame(dialect, scratch)
        dropped: tuple[dict[str, Any], ...] = ()
        if isinstance(frame, pl.DataFrame):  # a large file, or a sample, has no odd first and last rows to look for
            frame, said, left = without_headers(frame)
            first, end, more, dropped = odd_rows(frame)
            frame, dropped = frame[first:end], (*left, *dropped)
            notes = (*notes, *said, *more)
        digest = fingerprint.of_file(self.path)
        return Contents(
            frame, self.path.stem, digest, notes=(*dialect.notes, *notes), dropped=dropped,
            separator=dialect.separator, once=once,
        )  # fmt: skip

    def _frame(self, dialect: Dialect, scratch: Path) -> _Read:
        """Read by the fast reader where the file is plain; else, or where that fails, line by line first."""
        large = self.path.stat().st_size > self.large_bytes
        width, rows = len(dialect.header), 0
        if large and not dialect.transcode:
            rows = even_rows(self.path, dialect.separator, width)
        lines = "unusual" if dialect.transcode else "even"
        if not rows and not dialect.transcode:
            lines = evenness(self.path, dialect.separator, width)
        if lines == "even" or (lines == "quoted" and large):
            try:
                skip = dialect.skip + 1
                cells = _scan(self.path, dialect.separator, dialect.header, skip, quoted=lines == "quoted")
                file = TextFile(self.path, dialect.header, dialect.separator, skip, rows - skip)
                return self._collect(cells, width, scratch, file if rows > skip else None)
            except (pl.exceptions.PolarsError, OSError):
                lines = "unusual"  # what it stumbles over is named by the slow road
        copy = scratch / "plain.csv"
        try:
            header, notes = rewrite(self.path, dialect, copy)
            found = self._collect(_scan(copy, ",", header, 0), len(header), scratch)
            return found._replace(notes=(*found.notes, *notes))
        except (pl.exceptions.PolarsError, OSError) as error:
            raise DataError(
                f"{self.path.name} cannot be read as a text table: {str(error).split(chr(10), 1)[0][:200]}",
                "One line per row, quotes closed, and room for a copy on the disk",
                "Open the file in an editor and look for a broken line",
            ) from error

    def _collect(self, cells: pl.LazyFrame, width: int, scratch: Path, file: TextFile | None = None) -> _Read:
        """Read a scanned file of ``width`` columns; ``file``: what is known of a large one whose lines are even."""
        lazy = cells.filter(~pl.all_horizontal(pl.all().is_null()))
        size = self.path.stat().st_size
        found: _Read | None = None
        try:
            most = self.cap.most(width)
            if size <= self.large_bytes:
                found = _Read(lazy.collect())
            elif most and _may_exceed(self.path, most):
                drawn = draw(lazy.collect_batches(maintain_order=True), most)
                return _Read(drawn.frame.lazy(), (sentence(drawn, self.cap),) if drawn.total > most else ())
            else:
                once = one_pass(file, cells, scratch, self.apart) if file is not None and self.plain else None
                found = _Read(_spilled(lazy, scratch, size)) if once is None else _Read(once.frame, (), once)
            count = found.once.rows if found.once else int(found.frame.lazy().select(pl.len()).collect().item())
        except pl.exceptions.NoDataError:
            count = 0
        if found is None or not count:
            raise DataError(
                f"{self.path.name} has a header but no rows", "One line per row below the header", "Check the file"
            )
        return found


class _Read(NamedTuple):
    frame: pl.DataFrame | pl.LazyFrame
    notes: tuple[str, ...] = ()
    once: OnePass | None = None


def _scan(path: Path, separator: str, header: Sequence[str], skip: int, *, quoted: bool = False) -> pl.LazyFrame:
    lazy = pl.scan_csv(
        path, separator=separator, schema={name: pl.String() for name in header}, has_header=False, skip_lines=skip,
        glob=False,
    )  # fmt: skip
    if quoted:  # an empty text in quotes is no value, as without them
        return lazy.select(pl.when(pl.all() != "").then(pl.all()))
    return lazy


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
