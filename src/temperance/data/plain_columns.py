"""Read columns of plain numbers as numbers in the one pass over a large text file, with what the text would tell.

A column stays here only while each of its cells is empty or a plain finite number of one style, none begins with a
zero as codes do, none with a blank, and none is larger than float64 holds exactly. Then the numbers, some cells as text
and the count of the others say all that its text would say (``plain_reader``). Any other column is read from its text.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from temperance.data import judge
from temperance.data.field_bytes import Fields
from temperance.data.values import PLAIN
from temperance.records.cells import EXACT, NumberStyle

COMMA = NumberStyle(",")
CHUNK = 16 * 2**20
_CODE = r"^0\d+$"


@dataclass(frozen=True, eq=False)
class PlainColumn:
    """A column of plain numbers.

    Attributes:
        name: the column.
        style: how they are written: with points, or with decimal commas.
        sample: the cells of every so many rows that are not empty, as text.
        head: the first ``judge.LOOK`` cells that are not empty.
        rows: cells, empty ones too.
        path: its numbers, float64; NaN where a cell is empty.

    """

    name: str
    style: NumberStyle
    sample: pl.Series
    head: pl.Series
    rows: int
    path: Path

    def values(self) -> NDArray[np.float64]:
        """Return the numbers.

        Shapes: (rows,).
        """
        return np.fromfile(self.path, dtype=np.float64)


@dataclass(frozen=True, eq=False)
class OnePass:
    """What one pass over a text file gives.

    Attributes:
        frame: the file as it stands, which each pass reads anew.
        texts: where each of the other columns lies on the disk.
        plain: columns of plain numbers, by name.
        rows: of the file.

    """

    frame: pl.LazyFrame
    texts: dict[str, pl.LazyFrame]
    plain: dict[str, PlainColumn]
    rows: int


@dataclass(frozen=True)
class TextFile:
    """A text file of which each line has as many fields as there are names, and no quotes.

    Attributes:
        path: the file.
        names: of its columns.
        separator: one letter.
        skip: lines above the first row.
        rows: lines below them.

    """

    path: Path
    names: tuple[str, ...]
    separator: str
    skip: int
    rows: int


@dataclass
class _Growing:
    """A column that is plain so far."""

    style: NumberStyle
    kind: Any
    path: Path
    step: int
    head: pl.Series
    texts: list[pl.Series] = field(default_factory=list)

    def take(self, read: pl.Series) -> bool:
        """Write the numbers of a chunk; False where one is infinite, a word for NaN, or not held by float64."""
        found = np.ascontiguousarray(read.cast(pl.Float64).to_numpy(), dtype=np.float64)
        with np.errstate(invalid="ignore"):
            if int(np.count_nonzero(np.abs(found) < EXACT)) < len(found) - read.null_count():
                return False
        with self.path.open("ab") as out:
            out.write(found.data)
        return True


def read_plain(cells: pl.Series, style: NumberStyle) -> bool:
    """Tell whether all cells (b,) are empty or plain numbers of a style that could not be codes."""
    plain = cells
    if style.decimal == ",":
        if cells.str.contains(".", literal=True).any():
            return False
        plain = cells.str.replace(",", ".", literal=True)
    read = plain.cast(pl.Float64, strict=False)
    return read.null_count() == cells.null_count() and not cells.str.contains(_CODE).any()


def style_of(cells: pl.Series) -> NumberStyle | None:
    """Return the style in which all of the first cells are plain, or None."""
    known = cells.drop_nulls().head(judge.LOOK)
    if not len(known):
        return None
    return next((style for style in (PLAIN, COMMA) if read_plain(known, style)), None)


def one_pass(file: TextFile, frame: pl.LazyFrame, scratch: Path, apart: Iterable[str]) -> OnePass | None:
    """Read a file of text once.

    Args:
        file: the file.
        frame: the same, all columns as text.
        scratch: folder for what is read.
        apart: columns whose text is wanted.

    Returns:
        None where the file is not as it was expected: a row is empty, or the count of rows is another.

    Raises:
        pl.exceptions.PolarsError: a line has more fields.

    """
    chunks = _chunks(file)
    first = next(chunks, b"")
    growing, commas = _begin(file, _read(file, first, {}), scratch, set(apart))
    texts = [name for name in file.names if name not in growing]
    late: list[str] = []
    parts: list[Path] = []
    row = 0
    for chunk in _with(first, chunks):
        fields = Fields(chunk, ord(file.separator), len(file.names))
        for name in fields.suspects(file.names):
            _drop(growing, late, name)
        batch = _typed(file, chunk, growing, late, commas=commas)
        if batch.select(pl.all_horizontal(pl.all().is_null()).any()).item():
            return None
        for name in _with_points(fields, batch, texts, growing):
            _drop(growing, late, name)
        for name in [name for name, column in growing.items() if not column.take(batch[name])]:
            _drop(growing, late, name)
        _sample(file, fields, growing, row)
        if texts:
            parts.append(scratch / f"texts-{len(parts):06d}.arrow")
            batch.select(texts).write_ipc(parts[-1], compression="uncompressed")
        row += batch.height
    if row != file.rows:
        return None
    lying = dict.fromkeys(texts, pl.scan_ipc(parts, glob=False)) if parts else {}
    if late:
        frame.select(late).sink_ipc(scratch / "late.arrow", compression="uncompressed")
        lying |= dict.fromkeys(late, pl.scan_ipc(scratch / "late.arrow", glob=False))
    plain = {
        name: PlainColumn(name, one.style, _joined(one.texts).drop_nulls(), one.head, row, one.path)
        for name, one in growing.items()
    }
    return OnePass(frame, lying, plain, row)


def _begin(file: TextFile, head: pl.DataFrame, scratch: Path, apart: set[str]) -> tuple[dict[str, _Growing], bool]:
    """Choose the columns that are plain in the first chunk, of the decimal sign that the others have too."""
    styles = {name: style_of(head[name]) for name in file.names if name not in apart}
    commas = COMMA in styles.values()
    growing: dict[str, _Growing] = {}
    for number, (name, style) in enumerate(styles.items()):
        known = head[name].drop_nulls().head(judge.LOOK)
        if style is None or len(known) < min(judge.LOOK, file.rows):
            continue
        whole = not known.str.contains(r"[^0-9+-]").any()
        if style == PLAIN and commas and not whole:
            continue  # the reader takes one decimal sign at a time
        step = max(1, file.rows // (judge.LOOK if style == PLAIN else judge.WHOLE))
        kind = pl.Int64() if style == PLAIN and commas else pl.Float64()  # a float may have a comma there
        growing[name] = _Growing(style, kind, scratch / f"plain-{number}.bin", step, known)
    return growing, commas


def _drop(growing: dict[str, _Growing], late: list[str], name: str) -> None:
    if name in growing:
        growing.pop(name).path.unlink(missing_ok=True)
        late.append(name)


def _typed(
    file: TextFile, chunk: bytes, growing: dict[str, _Growing], late: list[str], *, commas: bool
) -> pl.DataFrame:
    """Read a chunk with the types of its columns; a column with a cell that is none is dropped from the plain ones."""
    try:
        return _read(file, chunk, {name: column.kind for name, column in growing.items()}, commas=commas)
    except pl.exceptions.PolarsError:
        texts = _read(file, chunk, {})
    for name, column in list(growing.items()):
        plain = texts[name].str.replace(",", ".", literal=True) if commas else texts[name]
        if plain.cast(column.kind, strict=False).null_count() > texts[name].null_count():
            _drop(growing, late, name)
    return _read(file, chunk, {name: column.kind for name, column in growing.items()}, commas=commas)


def _with_points(fields: Fields, batch: pl.DataFrame, texts: list[str], growing: dict[str, _Growing]) -> list[str]:
    """Return the columns with decimal commas where a cell may hold a point: those of the texts are counted."""
    commas = [name for name, column in growing.items() if column.style == COMMA]
    points = fields.count(ord(".")) if commas else 0
    for name in texts:
        if not points:
            break
        points -= int(batch[name].str.count_matches(".", literal=True).sum() or 0)
    return commas if points else []


def _sample(file: TextFile, fields: Fields, growing: dict[str, _Growing], row: int) -> None:
    """Take the text of every so many rows of the file; ``row`` is the first of this chunk."""
    for step in {column.step for column in growing.values()}:
        lines = fields.lines(-row % step, step)
        if not lines:
            continue
        some = _read(file, lines, {})
        for name, column in growing.items():
            if column.step == step:
                column.texts.append(some[name])


def _read(file: TextFile, chunk: bytes, kinds: dict[str, Any], *, commas: bool = False) -> pl.DataFrame:
    schema = {name: kinds.get(name, pl.String()) for name in file.names}
    return pl.read_csv(chunk, separator=file.separator, has_header=False, schema=schema, decimal_comma=commas)


def _chunks(file: TextFile) -> Iterator[bytes]:
    """Give whole lines of the file, those above the first row left out."""
    left = b""
    with file.path.open("rb") as stream:
        for _ in range(file.skip):
            stream.readline()
        while data := stream.read(CHUNK):
            block, end, left = (left + data).rpartition(b"\n")
            if end:
                yield block + end
    if left:
        yield left + b"\n"


def _with(first: bytes, others: Iterator[bytes]) -> Iterator[bytes]:
    if first:
        yield first
    yield from others


def _joined(parts: Sequence[pl.Series]) -> pl.Series:
    return pl.concat(parts, rechunk=True) if parts else pl.Series([], dtype=pl.String)
