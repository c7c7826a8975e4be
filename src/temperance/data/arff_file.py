"""ARFF files of Weka and OpenML: attributes are the header, nominal ones are categories, the data are read as text."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from temperance.data import fingerprint
from temperance.data.base import Contents, Source
from temperance.data.csv_file import CsvFile
from temperance.data.text import Dialect, find_encoding
from temperance.records.errors import DataError

_ATTRIBUTE = re.compile(r"@attribute\s+(?:'((?:[^'\\]|\\.)*)'|\"((?:[^\"\\]|\\.)*)\"|(\S+))\s+(.+)", re.IGNORECASE)


@dataclass(frozen=True)
class ArffFile(Source):
    """A dense ARFF file."""

    path: Path

    def open(self, scratch: Path) -> Contents:
        encoding, notes = find_encoding(self.path)
        names: list[str] = []
        nominal: list[str] = []
        above, skip = "", 0
        with self.path.open(encoding=encoding) as stream:
            for place, line in enumerate(stream):
                word = line.strip()
                found = _ATTRIBUTE.match(word)
                if found:
                    names.append(found[1] or found[2] or found[3])
                    nominal += [names[-1]] if found[4].startswith("{") else []
                elif word.lower().startswith("@data"):
                    above, skip = stream.read(100_000), place
                    break
        if not names or not above.strip():
            raise DataError(
                f"{self.path.name} holds no attributes or no data", "A complete ARFF file", "Check the file"
            )
        if re.match(r"\s*(?:%.*\n\s*)*\{", above):
            raise DataError(f"{self.path.name} is a sparse ARFF file", "A dense one", "Convert it, for example in Weka")
        quote = '"' if above.count('"') > above.count("'") else "'"
        dialect = Dialect(encoding, ",", tuple(names), skip, True, notes, quote, comment="%")
        opened = CsvFile(self.path).read(dialect, scratch)
        frame = opened.frame.with_columns(pl.col(name).str.strip_chars("'\"").cast(pl.Categorical) for name in nominal)
        return Contents(frame, self.path.stem, fingerprint.of_file(self.path), notes=opened.notes)
