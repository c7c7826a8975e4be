"""A file of predictions that is written part by part, and is there whole or not at all."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

import polars as pl

from temperance.records.errors import DataError

if TYPE_CHECKING:
    from temperance.cli.answers import Columns


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
        from temperance.cli.answers import to_csv

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


def _told(path: Path, fault: OSError) -> DataError:
    return DataError(
        f"{path} could not be written: {fault}", "a folder with space that may be written", "Choose another --out"
    )
