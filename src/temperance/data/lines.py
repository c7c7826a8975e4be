"""Bring an unusual text file into the plain form that the fast reader takes; odd lines are named and counted."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

import numpy as np

from temperance.data.text import Dialect, rows_of
from temperance.records.errors import DataError

MOST_ODD = 0.1  # share of lines with too many or too few fields up to which a file is read
LONGEST_RECORD = 1000  # lines that one quoted text may span
_CHUNK = 16 * 2**20
_CACHED = 2**20  # bytes that are counted at once


def evenness(path: Path, separator: str, width: int) -> str:
    """Tell by counting bytes whether each line holds ``width`` fields (blank lines aside).

    Returns:
        ``even``, ``odd``, or ``quoted``: there are quotes, so bytes do not say it.

    """
    sign, left = ord(separator), b""
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            if b'"' in chunk:
                return "quoted"
            block, _, left = (left + chunk).rpartition(b"\n")
            if block and not _even(block + b"\n", sign, width):
                return "odd"
    return "even" if not left.strip() or _even(left + b"\n", sign, width) else "odd"


def even_rows(path: Path, separator: str, width: int) -> tuple[int, bool]:
    """Count the lines of a file where each of them has ``width`` fields if none has more, and no quote.

    The signs are as many as so many fields need; a reader that refuses longer lines finds the rest.

    Returns:
        The lines, 0 where they are not so; and whether each of them has a field that is not empty.

    """
    sign, signs, lines, last = ord(separator), 0, 0, b""
    hollow, full, tail = b"\n" + separator.encode() * (width - 1), True, b"\n"
    with path.open("rb") as stream:
        while chunk := stream.read(_CACHED):
            if b'"' in chunk:
                return 0, False
            text = tail + chunk
            full = full and hollow + b"\n" not in text and hollow + b"\r" not in text
            tail = text[-len(hollow) - 1 :]
            letters = np.frombuffer(chunk, dtype=np.uint8)
            signs += int(np.count_nonzero(letters == sign))
            lines += int(np.count_nonzero(letters == 10))
            last = chunk[-1:]
    lines += last not in (b"", b"\n")
    full = full and not tail.endswith(hollow)
    return (lines, full) if width > 1 and signs == lines * (width - 1) else (0, False)


def _even(block: bytes, sign: int, width: int) -> bool:
    letters = np.frombuffer(block, dtype=np.uint8)
    ends_or_signs = letters[np.flatnonzero((letters == sign) | (letters == 10))]
    if len(ends_or_signs) % width == 0:
        lines = ends_or_signs.reshape(-1, width)
        if (lines[:, -1] == 10).all() and (lines[:, :-1] == sign).all():
            return True
    ends = np.flatnonzero(letters == 10)
    counts = np.searchsorted(np.flatnonzero(letters == sign), ends)
    counts = np.diff(counts, prepend=0)
    odd = np.flatnonzero(counts != width - 1)
    starts = np.concatenate([[0], ends[:-1] + 1])
    return all(not block[starts[i] : ends[i]].strip() for i in odd[:1000]) and len(odd) < 1000


def rewrite(path: Path, dialect: Dialect, copy: Path) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Write ``path`` as UTF-8 with commas, double quotes and one count of fields to ``copy``.

    A short line is filled with empty fields. A line with too many fields is left out, unless those are empty.

    Returns:
        Names of the columns, and notes.

    Raises:
        DataError: a quote is never closed, or more than a tenth of the lines are odd.

    """
    header, short, long = dialect.header, _Lines(), _Lines()
    kept, names = 0, set[str]()
    with (
        path.open(encoding=dialect.encoding, newline="") as source,
        copy.open("w", encoding="utf-8", newline="") as out,
    ):
        write = csv.writer(out, lineterminator="\r\n").writerow  # so that both are quoted
        for number, row in _records(source, path, dialect):
            if kept == 0 and not short.count and not long.count and _has_names(row, dialect):
                header = ("column_1", *header)
            width = len(header)
            if width > len(dialect.header):
                names.add(row[0])
                if len(names) < kept + 1 - short.count - long.count:
                    raise _one_more(path, number, width)
            if len(row) > width and not any(field.strip() for field in row[width:]):
                row = row[:width]
            if len(row) > width:
                long.add(number, len(row))
                continue
            if len(row) < width:
                short.add(number, len(row))
                row = [*row, *[""] * (width - len(row))]
            kept += 1
            write(row)
    odd = short.count + long.count
    if odd > max(2, MOST_ODD * (kept + long.count)):
        first = short if short.count >= long.count else long
        raise DataError(
            f"{path.name}: {odd:,} of {kept + long.count:,} lines have not {len(header)} fields, as {first.shown()}",
            "As many fields in each line as in the header",
            "Name the separator with --sep, or put quotes round texts that hold it",
        )
    notes = []
    if len(header) > len(dialect.header):
        notes.append(
            "Each line has one field more than the header: the first was taken for the name of the row ('column_1'). "
            "If a number holds the separator instead, put quotes round it."
        )
    if short.count:
        notes.append(f"{short.sentence()} fewer fields than the header: the last ones were read as missing.")
    if long.count:
        notes.append(f"{long.sentence()} more fields than the header: left out.")
    return header, tuple(notes)


def _has_names(row: list[str], dialect: Dialect) -> bool:
    """Tell whether rows have one field more than the header: R writes no name above the names of the rows."""
    more = len(dialect.header) + 1
    return len(row) == more and dialect.width in (0, more) and bool(row[-1].strip())


def _one_more(path: Path, number: int, width: int) -> DataError:
    return DataError(
        f"{path.name}: the lines hold {width} fields and the header {width - 1}, and no field names the rows (line "
        f"{number:,} repeats one)",
        "As many fields in each line as in the header",
        "If a number or text holds the separator, put quotes round it, or use another separator",
    )


class _Lines:
    """Lines that are odd in one way."""

    def __init__(self) -> None:
        self.count = 0
        self._first: list[tuple[int, int]] = []

    def add(self, number: int, fields: int) -> None:
        """Count a line."""
        self.count += 1
        if len(self._first) < 5:
            self._first.append((number, fields))

    def shown(self) -> str:
        """Return the first line in words."""
        number, fields = self._first[0]
        return f"line {number:,} with {fields} {'field' if fields == 1 else 'fields'}"

    def sentence(self) -> str:
        """Return the beginning of a sentence on all of them."""
        numbers = ", ".join(f"{number:,}" for number, _ in self._first) + (" …" if self.count > 5 else "")
        return f"{self.count:,} {'line has' if self.count == 1 else 'lines have'} (number {numbers})"


def _records(source: TextIO, path: Path, dialect: Dialect) -> Iterator[tuple[int, list[str]]]:
    """Give each record below the header with the number of its last line; blank lines are none."""
    lines = _Counted(source)
    for _ in range(dialect.skip):
        next(lines, "")
    begin = lines.number
    try:
        for row in rows_of(lines, dialect.separator, dialect.quote, dialect.lines):
            if lines.number - begin > LONGEST_RECORD:
                raise _open_quote(path, begin + 1)
            first, begin = begin + 1, lines.number
            if first == dialect.skip + 1:
                continue  # the header
            if any(field.strip() for field in row) and not (dialect.comment and row[0].startswith(dialect.comment)):
                if lines.over and row and "\n" in row[-1]:
                    raise _open_quote(path, first)
                yield begin, [field.strip() for field in row]
    except csv.Error as error:
        raise _open_quote(path, begin + 1) from error


class _Counted:
    """Lines of a file, counted."""

    def __init__(self, source: TextIO) -> None:
        self._source, self.number, self.over = source, 0, False

    def __iter__(self) -> _Counted:
        return self

    def __next__(self) -> str:
        line = self._source.readline()
        if not line:
            self.over = True
            raise StopIteration
        self.number += 1
        return line


def _open_quote(path: Path, line: int) -> DataError:
    return DataError(
        f"{path.name}: a quote that opens in line {line:,} is not closed",
        "Texts with a quote before and after them",
        "Close the quote in that line, or write it twice inside a text",
    )
