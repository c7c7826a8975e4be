"""Read columns of plain numbers as numbers in the one pass over a large text file, with what the text would tell.

A column stays here only while each of its cells is empty or a plain finite number of one style, none begins with a
zero as codes do, and none is larger than float64 holds exactly. Then the numbers, some cells as text and the count of
the others say all that its text would say (``judge.of_plain``). Any other column is read from its text.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from temperance.data import judge
from temperance.data.values import PLAIN
from temperance.records.cells import EXACT, NumberStyle

COMMA = NumberStyle(",")
BATCH = 131_072
_CODE = r"^0\d+$"


@dataclass(frozen=True, eq=False)
class PlainColumn:
    """A column of plain numbers.

    Attributes:
        name: the column.
        style: how they are written: with points, or with decimal commas.
        sample: every so many of its cells that are not empty, as text.
        head: the first ``judge.LOOK`` of them.
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
        frame: the file as it stands, which each pass reads anew; empty rows would be left out.
        cells: the same where there are none: a column of it takes less.
        texts: where each of the other columns lies on the disk.
        plain: columns of plain numbers, by name.
        rows: of the file.

    """

    frame: pl.LazyFrame
    cells: pl.LazyFrame
    texts: dict[str, pl.LazyFrame]
    plain: dict[str, PlainColumn]
    rows: int


@dataclass
class _Growing:
    name: str
    style: NumberStyle
    path: Path
    step: int
    seen: int = 0
    texts: list[pl.Series] = field(default_factory=list)
    heads: list[pl.Series] = field(default_factory=list)
    ahead: int = field(default_factory=lambda: judge.LOOK)

    def take(self, cells: pl.Series) -> bool:
        """Take the cells of a batch; False where one of them is not plain."""
        found = read_plain(cells, self.style)
        if found is None:
            return False
        with self.path.open("ab") as out:
            out.write(found.data)
        known = cells.drop_nulls() if cells.null_count() else cells
        if self.ahead > 0 and len(known):
            self.heads.append(known.head(self.ahead))
            self.ahead -= len(self.heads[-1])
        offset = -self.seen % self.step
        if offset < len(known):
            self.texts.append(known.gather_every(self.step, offset))
        self.seen += len(known)
        return True

    def done(self, rows: int) -> PlainColumn | None:
        if not self.texts:
            return None
        return PlainColumn(self.name, self.style, _joined(self.texts), _joined(self.heads), rows, self.path)


def read_plain(cells: pl.Series, style: NumberStyle) -> NDArray[np.float64] | None:
    """Return the numbers of cells (b,), NaN where one is empty; None where one is not plain, or could be a code."""
    plain = cells
    if style.decimal == ",":
        if cells.str.contains(".", literal=True).any():
            return None
        plain = cells.str.replace(",", ".", literal=True)
    read = plain.cast(pl.Float64, strict=False)
    empty = cells.null_count()
    if read.null_count() > empty:
        return None
    found = np.ascontiguousarray(read.to_numpy(), dtype=np.float64)
    with np.errstate(invalid="ignore"):
        size = np.abs(found)
        if int((size < EXACT).sum()) < len(found) - empty:
            return None  # an infinite one, a word for NaN, or one that float64 may not hold
        whole = found == np.floor(found)
    if whole.any():
        some = cells.filter(pl.Series(whole))
        some = some.filter(some.str.starts_with("0"))
        if some.str.contains(_CODE).any():
            return None
    return found


def style_of(cells: pl.Series) -> NumberStyle | None:
    """Return the style in which all of the first cells are plain, or None."""
    known = cells.drop_nulls().head(judge.LOOK)
    if not len(known):
        return None
    return next((style for style in (PLAIN, COMMA) if read_plain(known, style) is not None), None)


def one_pass(
    frame: pl.LazyFrame, cells: pl.LazyFrame, rows: int, scratch: Path, apart: Iterable[str]
) -> OnePass | None:
    """Read a file of text once.

    Args:
        frame: the file, all columns as text, without empty rows.
        cells: the same with them.
        rows: how many rows it has.
        scratch: folder for what is read.
        apart: columns whose text is wanted.

    Returns:
        None where the count of rows is not the one that was expected: there are empty ones.

    """
    growing: dict[str, _Growing] = {}
    late: list[str] = []
    parts: list[Path] = []
    texts: list[str] | None = None
    taken = 0
    for batch in _batches(frame):
        if texts is None:
            styles = {name: style_of(batch[name]) for name in batch.columns if name not in set(apart)}
            for number, (name, style) in enumerate(styles.items()):
                if style is not None:
                    step = max(1, rows // (judge.LOOK if style == PLAIN else judge.WHOLE))
                    growing[name] = _Growing(name, style, scratch / f"plain-{number}.bin", step)
            texts = [name for name in batch.columns if name not in growing]
        for name in [name for name, column in growing.items() if not column.take(batch[name])]:
            growing.pop(name).path.unlink(missing_ok=True)
            late.append(name)
        if texts:
            parts.append(scratch / f"texts-{len(parts):06d}.arrow")
            batch.select(texts).write_ipc(parts[-1], compression="uncompressed")
        taken += batch.height
    if taken != rows:
        return None
    lying = dict.fromkeys(texts or (), pl.scan_ipc(parts, glob=False)) if parts else {}
    if late:
        cells.select(late).sink_ipc(scratch / "late.arrow", compression="uncompressed")
        lying |= dict.fromkeys(late, pl.scan_ipc(scratch / "late.arrow", glob=False))
    found = {name: column.done(rows) for name, column in growing.items()}
    plain = {name: column for name, column in found.items() if column is not None}
    return OnePass(frame, cells, lying, plain, rows)


def _batches(frame: pl.LazyFrame) -> Iterator[pl.DataFrame]:
    return frame.collect_batches(chunk_size=BATCH, maintain_order=True)


def _joined(parts: list[pl.Series]) -> pl.Series:
    return pl.concat(parts, rechunk=True)
