"""ARFF files of Weka and OpenML: attributes are the header, nominal ones are categories, the data are read as text."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from temperance.data import fingerprint
from temperance.data.base import Contents, Source
from temperance.data.csv_file import CsvFile
from temperance.data.sheet import frame_of
from temperance.data.text import Dialect, find_encoding
from temperance.records.errors import DataError

_ATTRIBUTE = re.compile(r"@attribute\s+(?:'((?:[^'\\]|\\.)*)'|\"((?:[^\"\\]|\\.)*)\"|(\S+))\s+(.+)", re.IGNORECASE)

_PAIR = re.compile(r"(\d+)\s+('(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"|[^,\s]+)")


@dataclass(frozen=True)
class ArffFile(Source):
    """An ARFF file, dense or sparse."""

    path: Path

    def open(self, scratch: Path) -> Contents:
        encoding, notes = find_encoding(self.path)
        names: list[str] = []
        nominal: list[str] = []
        firsts: list[str] = []
        above, skip = "", 0
        with self.path.open(encoding=encoding) as stream:
            for place, line in enumerate(stream):
                word = line.strip()
                found = _ATTRIBUTE.match(word)
                if found:
                    names.append(found[1] or found[2] or found[3])
                    firsts.append(found[4][1:].split(",")[0].strip(" '\"}") if found[4].startswith("{") else "0")
                    nominal += [names[-1]] if found[4].startswith("{") else []
                elif word.lower().startswith("@data"):
                    above, skip = stream.read(100_000), place
                    break
        if not names or not above.strip():
            raise DataError(
                f"{self.path.name} holds no attributes or no data", "A complete ARFF file", "Check the file"
            )
        if re.match(r"\s*(?:%.*\n\s*)*\{", above):
            frame = self._sparse(encoding, names, firsts)
            return Contents(frame, self.path.stem, fingerprint.of_file(self.path), notes=notes)
        quote = '"' if above.count('"') > above.count("'") else "'"
        written = "escaped" if f"\\{quote}" in above else ""
        dialect = Dialect(encoding, ",", tuple(names), skip, True, notes, quote, "%", written)
        opened = CsvFile(self.path).read(dialect, scratch)
        frame = opened.frame.with_columns(pl.col(name).str.strip_chars("'\"").cast(pl.Categorical) for name in nominal)
        return Contents(frame, self.path.stem, fingerprint.of_file(self.path), notes=opened.notes)

    def _sparse(self, encoding: str, names: list[str], firsts: list[str]) -> pl.DataFrame:
        """Read rows such as ``{0 1.5, 2 yes}``: what is not named is 0, or the first category."""
        rows = []
        body = self.path.read_text(encoding=encoding)
        body = body[re.search(r"^@data.*$", body, re.IGNORECASE | re.MULTILINE).end() :]  # type: ignore[union-attr]
        for number, line in enumerate(body.splitlines()):
            bare = line.strip()
            if not bare or bare.startswith("%"):
                continue
            row: list[str | None] = list(firsts)
            try:
                for field in _PAIR.finditer(bare.strip("{}")):
                    value = re.sub(r"\\(.)", r"\1", field[2].strip("'\""))
                    row[int(field[1])] = None if value == "?" else value
            except (ValueError, IndexError) as error:
                raise DataError(
                    f"{self.path.name}: row {number:,} below @data is {bare[:40]!r}",
                    "Pairs of a column's place and a value in braces", "Correct that line",
                ) from error  # fmt: skip
            rows.append(row)
        return frame_of(names, rows)
