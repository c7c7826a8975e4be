"""Find out how a text file is written: encoding, separator, header."""

from __future__ import annotations

import codecs
import csv
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from temperance.data.headers import is_number, is_title, looks_like_data, named, names_groups
from temperance.data.kinds import wide
from temperance.records.cells import anatomy, tidy
from temperance.records.errors import DataError

SEPARATORS = (",", ";", "\t", "|", "::", "^", "~")
RARE = ("\x01", "\x1f", ":", "#", "/", "§", "!")  # asked where none of the others cuts all lines alike
MOST_HEADER_LINES = 20  # lines that the names of the columns may take
csv.field_size_limit(2**24)
_CHUNK = 4 * 2**20
_SNIFF = 256 * 1024
_LINES = 200  # lines that are looked at
HEADLESS = "The first line looks like data: add a header line with the column names"
_INNER = re.compile(r'(?:^|[,;\t|])"[^"\n]*[^,;\t|"\n]"[^,;\t|"\r\n][^"\n]*"', re.MULTILINE)
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
        lines: ``wrapped`` where each line stands in quotes, ``escaped`` where a backslash stands before quotes.
        width: fields that most rows have; 0: not known.
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
    lines: str = ""
    width: int = 0


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
    written = _written(lines[skip:], quote)
    if written == "wrapped":
        lines = [unwrapped(line) for line in lines]
        body = "\n".join(lines[skip:])
        notes = (*notes, "Each line stands in quotes: they were taken off.")
    elif _INNER.search(body) and not written:
        notes = (
            *notes,
            "Some texts hold quotes inside quotes and can lose one: a quote inside a text is written twice.",
        )
    prefer = "\t" if ".tsv" in path.name.lower() else ","
    separator = separator or find_separator(body, prefer=prefer, quote=quote)
    above = _above(lines[skip:], separator, quote)
    if above:
        shown = next((line for line in lines[skip : skip + above] if any(map(str.isalnum, line))), "").strip()[:40]
        if shown:
            notes = (*notes, f"{above} lines above the header were left out (the first: {shown!r}).")
    skip += above
    head_rows = list(
        islice((row for row in rows_of(lines[skip : skip + _LINES], separator, quote) if any(row)), _LINES)
    )
    if names_groups(head_rows):
        notes = (*notes, f"The line of groups above the names was left out ({', '.join(head_rows[0])[:60]!r}).")
        skip += 1 + next(i for i, line in enumerate(lines[skip + 1 :]) if line.strip())
    if separator not in (",", "\t"):
        notes = (*notes, f"Fields are separated by {'blanks' if separator == ' ' else repr(separator)}.")
    header, renamed, header_lines = _header(lines[skip:], separator, quote, path.name)
    simple = (
        len(separator) == 1
        and separator.isascii()
        and separator != " "
        and quote == '"'
        and encoding in ("utf-8", "utf-8-sig")
    )
    simple = simple and not written and header_lines == 1
    width = Counter(map(len, head_rows[1:])).most_common(1)[0][0] if len(head_rows) > 1 else 0
    notes = (*notes, *renamed)
    return Dialect(encoding, separator, header, skip, old_mac or not simple, notes, quote, "", written, width)


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
        cells = next(iter(rows_of(_record(lines, place, quote), separator, quote)), [])
        filled = sum(bool(cell.strip()) for cell in cells)
        if line.strip() and not comment and (usual == 1 or (2 * filled >= usual and 2 * len(cells) > usual)):
            below = rows_of([one for one in lines[place + 1 : place + 6] if one.strip()], separator, quote)
            if not is_title(cells, list(below), usual):
                return place
    return 0


def _named_once(line: str, separator: str, usual: int) -> bool:
    """Tell whether a line that begins like a comment is a header: as many fields as the rows, none of them a number."""
    fields = line.split(separator)
    return len(fields) == usual > 1 and not any(is_number(field) for field in fields)


def _record(lines: Sequence[str], place: int, quote: str) -> list[str]:
    """Return the lines of the record that begins at ``place``: a quote that opens may close in a later line."""
    some = lines[place : place + MOST_HEADER_LINES]
    for count in range(1, len(some) + 1):
        if sum(line.count(quote) for line in some[:count]) % 2 == 0:
            return [line + "\n" for line in some[:count]]
    return [lines[place]]


def _written(lines: Sequence[str], quote: str) -> str:
    """Say whether all lines stand in quotes, or quotes in texts behind a backslash."""
    some = [line.strip() for line in lines[:_LINES] if line.strip()]
    wrapped = [line[1:-1] for line in some if len(line) > 1 and line[0] == line[-1] == '"']
    if len(wrapped) == len(some) > 1 and all(line.count('"') == 2 * line.count('""') for line in wrapped):
        cut = {line.count(sign) for sign in ",;\t|" for line in wrapped if sign in line}
        if len(cut) == 1 and not any('","' in line or '";"' in line for line in some):
            return "wrapped"
    return "escaped" if any(f"\\{quote}" in line for line in some) and not any(quote * 2 in one for one in some) else ""


def unwrapped(line: str) -> str:
    """Return a line without the quotes round it."""
    bare = line.strip()
    return bare[1:-1].replace('""', '"') + line[len(line.rstrip("\r\n")) :] if len(bare) > 1 else line


def rows_of(lines: Iterable[str], separator: str, quote: str = '"', written: str = "") -> Iterator[list[str]]:
    """Cut lines into fields; a separator of several letters and blanks are one sign for the csv module.

    Raises:
        csv.Error: a field is longer than 16 MiB, so a quote is not closed.

    """
    if written == "wrapped":
        lines = map(unwrapped, lines)
    if separator == " ":
        lines = (line.strip() for line in lines)
    elif len(separator) > 1:
        lines = (line.replace(separator, "\x1f") for line in lines)
    sign = separator if len(separator) == 1 else "\x1f"
    escape = "\\" if written == "escaped" else None
    rows = csv.reader(
        lines, delimiter=sign, quotechar=quote, skipinitialspace=True, escapechar=escape,
        doublequote=escape is None,
    )  # fmt: skip
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
    if mark in (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE) and _first_bad_byte(path, "utf-32") is None:
        return "utf-32", ("The file is written in UTF-32.",)
    with path.open("rb") as stream:
        bare = "" if mark.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else wide(stream.read(4096))
    if bare and _first_bad_byte(path, bare) is None:
        return bare, ("The file is written in UTF-16 without a mark.",)
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
            if not encoding.startswith(("utf-16", "utf-32")) and b"\0" in chunk:
                raise DataError(
                    f"{path.name} is a binary file (a zero byte at {start + chunk.index(0):,})",
                    "CSV or TSV text, Parquet (.parquet), NumPy (.npz) or a folder",
                    "Check the file, or give it the ending of its format",
                )
            pending = len(decoder.getstate()[0])
            if chunk and not pending and chunk.isascii() and encoding == "utf-8":
                start += len(chunk)
                continue
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
    return _best(lines, prefer, quote) or next((sign for sign in RARE if _cuts_all(lines, sign, quote)), prefer)


def _cuts_all(lines: Sequence[str], sign: str, quote: str) -> bool:
    widths = {len(row) for row in _some_rows(lines, sign, quote)}
    return len(lines) > 2 and len(widths) == 1 and widths != {1}


def _best(lines: Sequence[str], prefer: str, quote: str) -> str:
    best, best_score = "", (0.0, 0.0, 0.0)
    below_titles = False  # another sign cuts all lines but the first ones, and titles and comments may hold blanks
    for separator in sorted((*SEPARATORS, " "), key=lambda s: (s == " ", s != prefer)):
        if separator == " " and (below_titles or best_score >= (1.0, 1.0, 0.0)):
            break
        rows = _some_rows(lines, separator, quote)
        usual, hits = Counter(map(len, rows)).most_common(1)[0] if rows else (0, 0)
        if usual < 2:
            continue
        first = next(row for row in rows if len(row) == usual)
        named = float(not any(map(_is_bare, first)))
        score = (named, hits / len(rows), float(usual))
        above = next(i for i, row in enumerate(rows) if len(row) == usual)
        below_titles |= named == 1.0 and hits == len(rows) - above and above <= min(MOST_HEADER_LINES, len(rows) / 2)
        if score > best_score:
            best, best_score = separator, score
    return best


def _is_bare(field: str) -> bool:
    """Tell whether a field is a number without a unit: ``2019 sales`` can be a name."""
    parts = anatomy(tidy(field)) if field else None
    return parts is not None and not parts.unit


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


def _header(
    lines: Sequence[str], separator: str, quote: str, name: str
) -> tuple[tuple[str, ...], tuple[str, ...], int]:
    """Return names, sentences on those that were changed, and the count of lines that the header takes."""
    left = iter([line + "\n" for line in lines])
    row = next(rows_of(left, separator, quote))
    taken = len(lines) - len(list(left))
    fields = [field.strip() for field in row]
    names, notes = named(fields)
    if len(set(fields)) < len(fields) and looks_like_data(fields):
        repeated = [field for field, count in Counter(fields).items() if count > 1]
        raise DataError(
            f"{name}: the column name {', '.join(map(repr, repeated[:5]))} stands more than once in the header",
            "Each column has a name of its own", HEADLESS,
        )  # fmt: skip
    return tuple(names), tuple(notes), taken
