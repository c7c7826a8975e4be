"""A file of predictions that is written part by part, and is there whole or not at all."""

from __future__ import annotations

import io
import os
import shutil
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Any

import polars as pl

from temperance.records.errors import DataError

Columns = dict[str, list[Any]]
RISKY = ("=", "+", "-", "@", "\t", "\r", "\n")


class AnswerFile:
    """CSV or Parquet, by its ending. Parts lie in a hidden folder beside it until all are there.

    Args:
        path: the file; one of the same name is replaced at the end.

    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._parts: list[Path] = []
        self._folder: Path | None = None

    def __enter__(self) -> AnswerFile:
        """Take a place beside the file.

        Raises:
            DataError: the folder cannot be written.

        """
        try:
            self._folder = Path(tempfile.mkdtemp(dir=self.path.parent, prefix=f".{self.path.name}."))
        except OSError as fault:
            raise _told(self.path, fault) from fault
        return self

    def add(self, columns: Columns) -> None:
        """Write the answers to some rows behind the others.

        Raises:
            DataError: the disk is full.

        """
        place = self._place
        try:
            if self.path.suffix.lower() == ".csv":
                with (place / "whole").open("a", encoding="utf-8", newline="") as out:
                    out.write(to_csv(columns, header=not self._parts))
                self._parts = [place / "whole"]
                return
            part = place / f"{len(self._parts):08d}.parquet"
            pl.DataFrame(columns).write_parquet(part)
            self._parts.append(part)
        except OSError as fault:
            raise _told(self.path, fault) from fault

    def __exit__(self, kind: type[BaseException] | None, *_: BaseException | TracebackType | None) -> None:
        """Put the file in its place, unless something went wrong.

        Raises:
            DataError: the disk is full.

        """
        try:
            if kind is None and self._parts:
                self._finish()
        except OSError as fault:
            raise _told(self.path, fault) from fault
        finally:
            shutil.rmtree(self._place, ignore_errors=True)

    @property
    def _place(self) -> Path:
        if self._folder is None:
            raise TypeError("an AnswerFile is opened with `with`")
        return self._folder

    def _finish(self) -> None:
        whole = self._parts[0]
        if len(self._parts) > 1:
            whole = self._place / "whole"
            pl.scan_parquet(self._parts, glob=False).sink_parquet(whole)
        with whole.open("rb+") as done:
            os.fsync(done.fileno())
        os.replace(whole, self.path)


def safe(value: Any) -> Any:
    """Return a text that no spreadsheet runs as a formula: a quote before it, unless it is a plain number."""
    if not isinstance(value, str) or not value.startswith(RISKY):
        return value
    try:
        float(value)
    except ValueError:
        return f"'{value}"
    return value


def to_csv(columns: Columns, *, header: bool = True) -> str:
    """Return the columns as CSV, with or without the line of their names."""
    out = io.StringIO()
    safe_columns = {safe(name): [safe(value) for value in values] for name, values in columns.items()}
    pl.DataFrame(safe_columns, strict=False).write_csv(out, include_header=header)
    return out.getvalue()


def _told(path: Path, fault: OSError) -> DataError:
    return DataError(
        f"{path} could not be written: {fault}", "a folder with space that may be written", "Choose another --out"
    )
