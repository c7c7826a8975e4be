"""Find out how a text file is written: encoding, separator, header."""

from __future__ import annotations

import codecs
import csv
import io
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from temperance.records.errors import DataError

SEPARATORS = (",", ";", "\t", "|")
_CHUNK = 4 * 2**20
_SNIFF = 256 * 1024
HEADLESS = "The first line looks like data: add a header line with the column names"


@dataclass(frozen=True)
class Dialect:
    r"""How a text file is written.

    Attributes:
        encoding: Python's name of the encoding.
        separator: one character between fields.
        header: names of the columns, stripped.
        skip: blank lines before the header.
        transcode: the file must be rewritten as UTF-8 with ``\n`` before it can be read.
        notes: plain sentences about anything unusual.

    """

    encoding: str
    separator: str
    header: tuple[str, ...]
    skip: int
    transcode: bool
    notes: tuple[str, ...]


def inspect(path: Path) -> Dialect:
    """Find out encoding, separator and header of ``path``.

    Raises:
        DataError: the file is empty, binary, holds no header, or names a column twice.

    """
    encoding, notes = find_encoding(path)
    with path.open("rb") as stream:
        head = stream.read(_SNIFF)
    text = codecs.getincrementaldecoder(encoding)().decode(head)
    old_mac = "\r" in text and "\n" not in text
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if not text.strip():
        raise DataError(f"{path.name} holds no text", "A header line and one line per row", "Check the file")
    skip = len(text) - len(text.lstrip("\n"))
    text = text[skip:]
    separator = find_separator(text, complete=len(head) < _SNIFF, prefer="\t" if ".tsv" in path.name.lower() else ",")
    if separator not in (",", "\t"):
        notes = (*notes, f"Fields are separated by {separator!r}.")
    header, renamed = _header(text, separator, path.name)
    transcode = encoding not in ("utf-8", "utf-8-sig") or old_mac
    return Dialect(encoding, separator, header, skip, transcode, (*notes, *renamed))


def find_encoding(path: Path) -> tuple[str, tuple[str, ...]]:
    """Return the encoding and notes: UTF-8 (with or without mark), UTF-16 by its mark, else Windows-1252.

    Raises:
        DataError: the file is binary or in none of these encodings; it says at which byte.

    """
    with path.open("rb") as stream:
        mark = stream.read(4)
    if mark.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        position = _first_bad_byte(path, "utf-16")
        if position is None:
            return "utf-16", ("The file is written in UTF-16.",)
    position = _first_bad_byte(path, "utf-8")
    if position is None:
        return ("utf-8-sig" if mark.startswith(codecs.BOM_UTF8) else "utf-8"), ()
    second = _first_bad_byte(path, "cp1252")
    if second is None:
        return "cp1252", (
            f"The file is not UTF-8 (byte {position:,} does not fit); it was read as Windows-1252 (Western European). "
            "If letters with accents look wrong, save the file as UTF-8.",
        )
    raise DataError(
        f"{path.name} is not UTF-8 text (byte {position:,}), nor Windows-1252 (byte {second:,})",
        "UTF-8, UTF-16 with a mark, or Windows-1252 text",
        "Save the file as UTF-8 CSV, or pass Parquet",
    )


def _first_bad_byte(path: Path, encoding: str) -> int | None:
    decoder = codecs.getincrementaldecoder(encoding)()
    start = 0
    with path.open("rb") as stream:
        while True:
            chunk = stream.read(_CHUNK)
            if encoding != "utf-16" and b"\0" in chunk:
                raise DataError(
                    f"{path.name} is a binary file (a zero byte at {start + chunk.index(0):,})",
                    "CSV or TSV text, Parquet (.parquet), NumPy (.npz) or a folder",
                    "Check the file, or give it the ending of its format",
                )
            pending = len(decoder.getstate()[0])
            try:
                decoder.decode(chunk, final=not chunk)
            except UnicodeDecodeError as error:
                return start - pending + error.start
            if not chunk:
                return None
            start += len(chunk)


def find_separator(text: str, *, complete: bool = True, prefer: str = ",") -> str:
    """Return the separator that cuts header and lines into the same count of fields, and into most of them."""
    best, best_score = prefer, (0.0, 0.0, 0.0)
    for separator in sorted(SEPARATORS, key=lambda s: s != prefer):
        counts = _field_counts(text, separator, complete)
        if not counts:
            continue
        usual, hits = Counter(counts).most_common(1)[0]
        if usual < 2:
            continue
        score = (float(counts[0] == usual), hits / len(counts), float(usual))
        if score > best_score:
            best, best_score = separator, score
    return best


def _field_counts(text: str, separator: str, complete: bool) -> list[int]:
    counts = []
    try:
        for row in csv.reader(io.StringIO(text), delimiter=separator, skipinitialspace=True):
            if row:
                counts.append(len(row))
            if len(counts) > 200:
                break
    except csv.Error:  # a field longer than Python's limit: what was counted so far decides
        return counts
    return counts if complete or len(counts) < 2 else counts[:-1]


def _header(text: str, separator: str, name: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    row = next(csv.reader(io.StringIO(text), delimiter=separator, skipinitialspace=True))
    names = [field.strip() for field in row]
    notes = []
    for position, field in enumerate(names):
        if not field:
            names[position] = f"column_{position + 1}"
            notes.append(f"Column {position + 1} has no name; it is called {names[position]!r}.")
    if notes and len(notes) > 3:
        notes = [f"{len(notes)} columns have no name; they are called by their position, such as 'column_1'."]
    repeated = [field for field, count in Counter(names).items() if count > 1]
    if repeated:
        shown = ", ".join(repr(field) for field in repeated[:5])
        raise DataError(
            f"{name}: the column name {shown} stands more than once in the header",
            "Each column has a name of its own",
            HEADLESS if looks_like_data(names) else "Rename the columns",
        )
    return tuple(names), tuple(notes)


def looks_like_data(names: Sequence[str]) -> bool:
    """Tell whether a header looks like a row of data: a quarter of its names or more are numbers."""
    return 4 * sum(_is_number(name) for name in names) >= len(names)


def _is_number(field: str) -> bool:
    try:
        float(field)
    except ValueError:
        return False
    return True
