"""Read the rows that are to be answered part by part, so that a file of any size takes the memory of one part."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import polars as pl

from temperance.data.base import Contents, Source
from temperance.data.choices import AS_FOUND, Choices
from temperance.data.misfits import Misfit, merged
from temperance.data.reader import read
from temperance.data.reading import Reading
from temperance.data.source import source_of
from temperance.records.schema import Schema

PART_BYTES = 32 * 2**20  # of the columns of one part, as numbers
LEAST, MOST = 1_000, 100_000  # rows of a part
BLOCK = 4  # parts that are read from the disk at once


@dataclass(frozen=True, eq=False)
class Opened(Source):
    """A source that was opened already."""

    contents: Contents

    def open(self, scratch: Path) -> Contents:
        return self.contents


@dataclass
class Said:
    """What was said about the parts, as it would be said about the whole."""

    rows: int = 0
    notes: dict[str, None] = field(default_factory=dict)
    misfits: list[Misfit] = field(default_factory=list)

    def add(self, part: Reading) -> None:
        """Take the notes of one part."""
        self.rows += len(part.table)
        counted = {one.sentence for one in part.misfits}
        self.notes |= {note: None for note in part.notes if note not in counted}
        self.misfits = merged([*self.misfits, *part.misfits])

    @property
    def sentences(self) -> tuple[str, ...]:
        """All notes, those with counts last."""
        return (*self.notes, *(one.sentence for one in self.misfits))


def read_parts(
    source: Any, *, schema: Schema, workdir: Path | None = None, choices: Choices = AS_FOUND, rows: int | None = None
) -> Iterator[Reading]:
    """Read rows to be answered, in their order.

    Large tables come in parts; small ones, images, series, and rows that earlier rows belong to come as one.

    Args:
        source: see ``read``.
        schema: what the model takes.
        workdir: folder for large arrays and intermediate files.
        choices: what the user decided.
        rows: of a part; None: as their width allows.

    Raises:
        DataError: see ``read``.

    """
    if workdir is not None:
        workdir.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=workdir, prefix="parts-", ignore_cleanup_errors=True) as scratch:
        contents = source_of(source, schema=schema, choices=choices).open(Path(scratch))
        together = schema.long is not None or schema.forecast is not None
        if together or not isinstance(contents.frame, pl.LazyFrame):
            yield read(Opened(contents), schema=schema, workdir=workdir, choices=choices)
            return
        if schema.target.name in contents.names:  # an answer that is known is not looked at
            contents = replace(contents, frame=contents.frame.drop(schema.target.name))
        size = rows or max(LEAST, min(MOST, PART_BYTES // (8 * max(1, len(contents.names)))))
        for block in blocks(contents.frame.lazy(), contents.rows, BLOCK * size):
            for start in range(0, block.height, size):
                part = Opened(replace(contents, frame=block.slice(start, size)))
                yield read(part, schema=schema, workdir=workdir, choices=choices)


def blocks(frame: pl.LazyFrame, rows: int, size: int) -> Iterator[pl.DataFrame]:
    """Give rows by the ``size``: Polars' own batches are read far ahead of one who takes long over each."""
    for start in range(0, rows, size):
        yield frame.slice(start, size).collect()
