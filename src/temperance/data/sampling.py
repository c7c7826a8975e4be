"""Draw a uniform sample of rows in one pass, where a table is larger than what the memory should hold."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from temperance.data.base import Contents
from temperance.data.choices import Choices
from temperance.records.errors import DataError
from temperance.records.schema import Schema

SEED = 0
SHARE = 1 / 16  # of the memory: what a table may take as numbers; a study holds it several times
ASSUMED = 8 * 2**30  # bytes of memory where the system does not say
LEAST = 10_000  # rows that are read however wide they are
SPARE = 0.25  # rows held beyond the sample before it is cut, as a share of it
_LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))


@dataclass(frozen=True)
class Cap:
    """How many rows of a source are read at most.

    Attributes:
        asked: rows that the user named; 0: none.
        automatic: where none were named, the machine's memory says it.
        whole: rows belong together, so that no sample of them can be drawn.

    """

    asked: int = 0
    automatic: bool = False
    whole: bool = False

    def most(self, width: int) -> int:
        """Return the rows that are read at most of a table with ``width`` columns; 0: all."""
        if self.whole or not (self.asked or self.automatic):
            return 0
        return self.asked or max(LEAST, int(SHARE * memory_bytes() / (8 * max(1, width))))


#: All rows are read.
ALL = Cap()


class SampleNote(str):
    """A sentence on the sample that was drawn: by it contents are known that are not all rows."""

    __slots__ = ()


class Sample(NamedTuple):
    """What was drawn: the rows in the order of the source, and how many it has."""

    frame: pl.DataFrame
    total: int


def cap_of(choices: Choices, schema: Schema | None, *, answered: bool) -> Cap:
    """Return how many rows are read at most.

    Args:
        choices: what the user decided.
        schema: what the data are read against, or None.
        answered: each row is answered, so that none may be left out.

    """
    if answered:
        return ALL
    framed = schema is not None and (schema.long is not None or schema.forecast is not None)
    whole = bool(choices.id or choices.lags or framed)
    return Cap(choices.rows, automatic=not choices.rows and not whole, whole=whole)


def sampled(contents: Contents, cap: Cap) -> Contents:
    """Return contents with at most the rows that ``cap`` allows; a sentence says what was drawn.

    Raises:
        DataError: rows were named, and these are images, series or rows that belong together.

    """
    if contents.images is not None or contents.series is not None:
        if cap.asked:
            raise _no_sample("images" if contents.images is not None else "series")
        return contents
    lazy = isinstance(contents.frame, pl.LazyFrame)
    if not (cap.asked or (cap.automatic and lazy)):
        return contents
    rows = contents.rows
    most = cap.most(len(contents.names))
    if cap.whole and rows > cap.asked:
        raise _no_sample("rows that belong together in time")
    if not most or rows <= most:
        return contents
    drawn = draw(contents.frame.lazy().collect_batches(maintain_order=True), most)
    return replace(contents, frame=drawn.frame.lazy(), notes=(sentence(drawn, cap), *contents.notes))


def draw(batches: Iterable[pl.DataFrame], most: int, *, seed: int = SEED) -> Sample:
    """Draw ``most`` rows, each set of so many rows being as likely, in one pass that holds 1.25 times as many.

    Each row gets a random number in turn and the rows with the smallest ``most`` numbers stay: it makes no difference
    how the rows are cut into batches. If there are no more rows than that, all stay.

    Raises:
        DataError: there is no row.

    """
    rng = np.random.default_rng(seed)
    frames: list[pl.DataFrame] = []
    keys: list[NDArray[np.float64]] = []
    total, held, below = 0, 0, np.inf
    for batch in batches:
        drawn = rng.random(batch.height)
        hit = np.flatnonzero(drawn < below)
        total += batch.height
        if not len(hit):
            continue
        frames.append(batch if len(hit) == batch.height else _own(batch[hit]))
        keys.append(drawn[hit])
        held += len(hit)
        if held > most * (1 + SPARE):
            frame, lowest = _smallest(frames, keys, most)
            frames, keys, held, below = [frame], [lowest], most, float(lowest.max())
    if not frames:
        raise DataError("The table has no rows", "At least a few rows", "Check the file")
    return Sample(_smallest(frames, keys, most)[0] if held > most else pl.concat(frames), total)


def _smallest(
    frames: list[pl.DataFrame], keys: list[NDArray[np.float64]], most: int
) -> tuple[pl.DataFrame, NDArray[np.float64]]:
    found = np.concatenate(keys)
    places = np.sort(np.argpartition(found, most - 1)[:most])
    frame = pl.concat(frames, rechunk=False)[places]
    return _own(frame), found[places]


def _own(frame: pl.DataFrame) -> pl.DataFrame:
    """Return a copy that keeps no buffer of the frame it was taken from: a few texts would keep all of them."""
    texts = [name for name, kind in frame.schema.items() if kind == pl.String or kind == pl.Binary or kind.is_nested()]
    if not texts:
        return frame
    return frame.with_columns(pl.concat([frame[name].slice(0, 0), frame[name]], rechunk=True) for name in texts)


def is_sample(contents: Contents) -> bool:
    """Return whether rows were left out by drawing, so that the place of a row in its file is not known."""
    return any(isinstance(note, SampleNote) for note in contents.notes)


def sentence(drawn: Sample, cap: Cap) -> SampleNote:
    """Say how many rows there are and what was read of them."""
    why = (
        "as --rows-in-memory asks" if cap.asked else
        f"as all of them would take more than a {round(1 / SHARE)}th of this machine's memory as numbers"
    )  # fmt: skip
    return SampleNote(
        f"The data have {drawn.total:,} rows. A uniform random sample of {drawn.frame.height:,} of them was read (seed "
        f"{SEED}), {why}. All counts and figures are of this sample, those of the test rows too. "
        "To read more or fewer: --rows-in-memory N."
    )


def lines_about(head: bytes, size: int) -> int:
    """Return about how many lines a file of ``size`` bytes has that begins with ``head``."""
    return int(max(1, head.count(b"\n")) / max(1, len(head)) * size)


def memory_bytes() -> int:
    """Return the memory of this machine, or of the container that this process runs in."""
    found = [_limit(path) for path in _LIMITS]
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        found.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    return min((one for one in found if one > 0), default=ASSUMED)


def _limit(path: Path) -> int:
    try:
        word = path.read_text().strip()
    except OSError:
        return 0
    return int(word) if word.isdigit() else 0


def _no_sample(what: str) -> DataError:
    return DataError(
        f"--rows-in-memory for {what}", "It draws single rows of a table", "Leave it out, or give fewer data"
    )
