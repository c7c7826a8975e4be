"""Find out how a text file is written: encoding, separator, header."""

from __future__ import annotations

import codecs
import csv
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from temperance.records.cells import anatomy, tidy
from temperance.records.errors import DataError

SEPARATORS = (",", ";", "\t", "|", "::", "^", "~")
_CHUNK = 4 * 2**20
_SNIFF = 256 * 1024
_LINES = 200  # lines that are looked at
HEADLESS = "The first line looks like data: add a header line with the column names"
_NO_TABLES = (
    (r"\s*<(!doctype html|html|\?xml|head|body|table)", "a web page or XML", "Download the file itself"),
    (r"version https://git-lfs", "a Git LFS pointer, not the data", "Run `git lfs pull` to fetch the data"),
    (r"%PDF-", "a PDF", "Export the table as CSV"),
    (r"\{\\rtf", "a rich-text document", "Save the table as plain CSV"),
)


@dataclass(frozen=True)
class Dialect:
    r"""How a text file is written.

    Attributes:
        encoding: Python's name of the encoding.
        separator: sign between fields; a blank stands for any count of blanks.
        quote: sign round texts.
        comment: sign at the beginning of lines that are no rows; empty: there are none.
        header: names of the columns, stripped.
        skip: lines before the first row (the header's included).
        transcode: the file must be rewritten before a fast reader takes it.
        notes: plain sentences about anything unusual.

    """

    encoding: str
    separator: str
    header: tuple[str, ...]
    skip: int
    transcode: bool
    notes: tuple[str, ...]
    quote: str = '"'
    comment: str = ""


def inspect(path: Path, separator: str = "") -> Dialect:
    """Find out encoding, separator and header of ``path``; ``separator`` is the one that the user named.

    Raises:
        DataError: the file is empty, binary, no table, holds no header, or names a column twice.

    """
    encoding, notes = find_encoding(path)
    with path.open("rb") as stream:
        head = stream.read(_SNIFF)
    text = codecs.getincrementaldecoder(encoding)().decode(head)
    old_mac = "\r" in text and "\n" not in text
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if not text.strip():
        raise DataError(f"{path.name} holds no text", "A header line and one line per row", "Check the file")
    refuse_no_table(path.name, text)
    lines = text.split("\n")[: None if len(head) < _SNIFF else -1]
    skip = next(i for i, line in enumerate(lines) if line.strip())
    said = re.fullmatch(r'"?sep=(.{1,2})"?\s*', lines[skip])
    if said:
        separator, skip = separator or said[1], skip + 1
    body = "\n".join(lines[skip:])
    quote = _quote(body)
    prefer = "\t" if ".tsv" in path.name.lower() else ","
    separator = separator or find_separator(body, prefer=prefer, quote=quote)
    above = _above(lines[skip:], separator, quote)
    if above:
        shown = next((line for line in lines[skip : skip + above] if any(map(str.isalnum, line))), "").strip()[:40]
        if shown:
            notes = (*notes, f"{above} lines above the header were left out (the first: {shown!r}).")
    skip += above
    if separator not in (",", "\t"):
        notes = (*notes, f"Fields are separated by {'blanks' if separator == ' ' else repr(separator)}.")
    header, renamed = _header("\n".join(lines[skip:]), separator, quote, path.name)
    simple = len(separator) == 1 and separator != " " and quote == '"' and encoding in ("utf-8", "utf-8-sig")
    return Dialect(encoding, separator, header, skip, old_mac or not simple, (*notes, *renamed), quote)


def refuse_no_table(name: str, text: str) -> None:
    """Refuse what is saved as a table and is none, and say what it is.

    Raises:
        DataError: it is a web page, a pointer, a document.

    """
    for pattern, what, remedy in _NO_TABLES:
        if re.match(pattern, text, re.IGNORECASE):
            raise DataError(f"{name} is {what}", "A table: a header line and one line per row", remedy)


def _quote(text: str) -> str:
    """Return the sign round texts: a single quote where fields are wrapped in it and there is no double one."""
    if '"' in text:
        return '"'
    wrapped = len(re.findall(r"(?:^|[,;\t|])'[^'\n]*'(?=[,;\t|]|$)", text, re.MULTILINE))
    return "'" if wrapped >= 2 and wrapped >= 0.4 * text.count("'") else '"'


def _above(lines: Sequence[str], separator: str, quote: str) -> int:
    """Count the lines above the header: titles, comments and blank lines, which have fewer fields than the rows."""
    widths = [len(row) for row in rows_of(lines[:_LINES], separator, quote)]
    usual = Counter(width for width in widths if width).most_common(1)[0][0]
    for place, line in enumerate(lines[:_LINES]):
        comment = line.lstrip().startswith(("#", "//", "%", "@")) and not _named_once(line, separator, usual)
        cells = _cells(line, separator, quote)
        filled = sum(bool(cell.strip()) for cell in cells)
        if line.strip() and not comment and (usual == 1 or (2 * filled >= usual and 2 * len(cells) > usual)):
            return place
    return 0


def _named_once(line: str, separator: str, usual: int) -> bool:
    """Tell whether a line that begins like a comment is a header: as many fields as the rows, none of them a number."""
    fields = line.split(separator)
    return len(fields) == usual > 1 and not any(_is_number(field) for field in fields)


def _cells(line: str, separator: str, quote: str) -> list[str]:
    return next(iter(rows_of([line], separator, quote)), [])


def rows_of(lines: Iterable[str], separator: str, quote: str = '"') -> Iterator[list[str]]:
    """Cut lines into fields; a separator of several letters and blanks are one sign for the csv module.

    Raises:
        csv.Error: a field is longer than 128 KiB, so a quote is not closed.

    """
    if separator == " ":
        lines = (line.strip() for line in lines)
    elif len(separator) > 1:
        lines = (line.replace(separator, "\x1f") for line in lines)
    sign = separator if len(separator) == 1 else "\x1f"
    rows = csv.reader(lines, delimiter=sign, quotechar=quote, skipinitialspace=separator != "\t")
    if len(separator) == 1:
        yield from rows
    else:
        yield from ([field.replace(sign, separator) for field in row] for row in rows)  # inside quotes it is a text


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


def find_separator(text: str, *, prefer: str = ",", quote: str = '"') -> str:
    """Return the separator that cuts most lines into one count of fields, the first of these into names.

    Blanks come last: they stand in titles and texts too.
    """
    lines = [line for line in text.split("\n")[: 3 * _LINES] if line.strip()]
    best, best_score = prefer, (0.0, 0.0, 0.0)
    for separator in sorted((*SEPARATORS, " "), key=lambda s: (s == " ", s != prefer)):
        if separator == " " and best_score >= (1.0, 0.9, 0.0):
            break
        rows = _some_rows(lines, separator, quote)
        usual, hits = Counter(map(len, rows)).most_common(1)[0] if rows else (0, 0)
        if usual < 2:
            continue
        first = next(row for row in rows if len(row) == usual)
        named = float(not any(field and anatomy(tidy(field)) is not None for field in first))
        score = (named, hits / len(rows), float(usual))
        if score > best_score:
            best, best_score = separator, score
    return best


def _some_rows(lines: Sequence[str], separator: str, quote: str) -> list[list[str]]:
    rows = []
    try:
        for row in rows_of(lines, separator, quote):
            if row:
                rows.append(row)
            if len(rows) > _LINES:
                break
    except csv.Error:  # a field longer than Python's limit: what was read so far decides
        return rows
    return rows


def _header(text: str, separator: str, quote: str, name: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    row = next(rows_of(text.split("\n"), separator, quote))
    names = [field.strip() for field in row]
    names[0] = names[0].lstrip("#").strip() if len(names) > 1 else names[0]
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
