"""A folder of text files with the same columns, read as one table."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl

from temperance.data import fingerprint
from temperance.data.base import Contents, Source
from temperance.data.csv_file import CsvFile
from temperance.records.errors import DataError

ENDINGS = frozenset({".csv", ".tsv"})


def texts_below(folder: Path) -> list[Path]:
    """Return the text tables of a folder, in the order of their names."""
    return sorted(p for p in folder.rglob("*") if p.suffix.lower() in ENDINGS and p.is_file() and p.name[0] != ".")


@dataclass(frozen=True)
class TextFolder(Source):
    """All ``*.csv`` and ``*.tsv`` below a folder; each may be written in its own way, the columns are the same."""

    path: Path
    separator: str = ""

    def open(self, scratch: Path) -> Contents:
        files = texts_below(self.path)
        parts: list[Contents] = []
        for place, file in enumerate(files):
            (scratch / f"part-{place}").mkdir()
            parts.append(CsvFile(file, separator=self.separator).open(scratch / f"part-{place}"))
        first = set(parts[0].names)
        for file, part in zip(files, parts, strict=True):
            if set(part.names) != first:
                strange = ", ".join(repr(name) for name in sorted(first ^ set(part.names))[:5])
                raise DataError(
                    f"{file.name} has not the columns of {files[0].name} (one of them lacks {strange})",
                    "Files with the same columns", "Take the file out, or give it the same header",
                )  # fmt: skip
        frames = [part.frame.lazy().select(parts[0].names) for part in parts]
        large = any(isinstance(part.frame, pl.LazyFrame) for part in parts)
        frame: Any = pl.concat(frames) if large else pl.concat(frames).collect()
        notes = [f"{len(files)} text files were read as one table."]
        notes += list(dict.fromkeys(note for part in parts for note in part.notes))
        dropped = tuple(item for part in parts for item in part.dropped)
        name, digest = self.path.resolve().name, fingerprint.of_files(files, root=self.path)
        return replace(parts[0], frame=frame, name=name, fingerprint=digest, notes=tuple(notes), dropped=dropped)
