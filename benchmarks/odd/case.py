"""One odd file: how it is written, and what it holds."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

ROWS = 80
RNG = np.random.default_rng(20261130)
U = [float(v) for v in RNG.uniform(1, 1000, ROWS)]
ANSWERS = [("yes", "no")[int(v)] for v in RNG.integers(0, 2, ROWS)]
SMALL = [i % 7 for i in range(ROWS)]
DAY = dt.date(1970, 1, 1)
Value = float | str | None
Column = list[Any]


@dataclass(frozen=True)
class Case:
    """A file and its right reading.

    Attributes:
        name: what is odd.
        kind: the dialect or format.
        write: writes it to a folder and returns its path.
        right: column to its right values: numbers (days since 1970 for dates, hours for times), words, None = missing.
        or_else: further readings that are right as well, for columns where two are.
        sets: column to the values in each cell, where yes/no columns are right.
        dropped: columns that are rightly left out (with a sentence).
        refused: a refusal in our words is right.
        answers: the target.
        target: its name.

    """

    name: str
    kind: str
    write: Callable[[Path], Path]
    right: dict[str, Column] = field(default_factory=dict)
    or_else: tuple[dict[str, Column], ...] = ()
    sets: dict[str, list[set[str]]] = field(default_factory=dict)
    dropped: tuple[str, ...] = ()
    refused: bool = False
    answers: Column = field(default_factory=lambda: list(ANSWERS))
    target: str = "y"


def day(year: int, month: int, number: int) -> int:
    """Return days since 1970."""
    return (dt.date(year, month, number) - DAY).days


def days() -> list[dt.date]:
    """Return a date per row, none of which hides which number is the month."""
    return [dt.date(2021, 1, 1) + dt.timedelta(days=int(i * 13.7) % 900) for i in range(ROWS)]


def number_of(one: dt.date) -> int:
    """Return days since 1970."""
    return (one - DAY).days


def text(name: str, body: str, encoding: str = "utf-8", newline: str | None = None) -> Callable[[Path], Path]:
    """Return a writer of a text file."""

    def write(folder: Path) -> Path:
        path = folder / name
        path.write_bytes((body if newline is None else body.replace("\n", newline)).encode(encoding))
        return path

    return write


def raw(name: str, body: bytes) -> Callable[[Path], Path]:
    """Return a writer of bytes."""

    def write(folder: Path) -> Path:
        (folder / name).write_bytes(body)
        return folder / name

    return write


def quoted(cell: str, sep: str) -> str:
    """Return a field of a CSV file."""
    if any(sign in cell for sign in (sep, '"', "\n")) or cell != cell.strip():
        return '"' + cell.replace('"', '""') + '"'
    return cell


def table(cells: list[str], sep: str = ",", end: str = "\n") -> str:
    """Return a CSV with the column ``x`` beside a plain one and the target."""
    lines = [sep.join(("x", "b", "y"))]
    lines += [sep.join((quoted(cell, sep), str(b), y)) for cell, b, y in zip(cells, SMALL, ANSWERS, strict=True)]
    return end.join([*lines, ""])


def plain_right(**more: Column) -> dict[str, Column]:
    """Return the right values of the plain columns and of those that are named."""
    return {"b": [float(v) for v in SMALL], **more}
