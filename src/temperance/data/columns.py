"""Look at each column of a source: its inputs, what is said about it, and what is left out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import polars as pl

from temperance.data.base import Contents
from temperance.data.choices import Choices
from temperance.data.encode import keep_column
from temperance.data.evidence import FileStyle
from temperance.data.infer import Trait, infer
from temperance.data.judge import Reader
from temperance.data.reading import Dropped
from temperance.records.schema import Column

KINDS = ("numeric", "categorical", "text", "series")  # the order of a schema's columns
TOGETHER = 2  # columns of a large file that are looked at at once


def columns_of(
    contents: Contents, taken: Sequence[str], choices: Choices, file: FileStyle
) -> tuple[tuple[Column, ...], list[str], list[Dropped], list[Reader]]:
    """Decide what each column of a source gives.

    Args:
        contents: an opened source; what was read of it is kept there.
        taken: columns that are no inputs.
        choices: what the user decided.
        file: how the file writes numbers.

    Returns:
        The inputs in the order of a schema, notes, what was left out, and the readers.

    """
    found: list[Column] = []
    notes: list[str] = []
    dropped: list[Dropped] = []
    readers: list[Reader] = []
    names = [name for name in contents.names if name not in taken and contents.images is None]

    def look(name: str) -> Trait:
        series = contents.column(name)
        trait = infer(series, plain=contents.plain, choice=choices.of(name), file=file)
        keep_column(contents.kept, series, trait.columns, trait.reader)
        return replace(trait, reader=trait.reader.bare() if trait.reader else None)

    for name, trait in zip(names, _each(look, names, lazy=isinstance(contents.frame, pl.LazyFrame)), strict=True):
        found += trait.columns
        notes += trait.notes
        if trait.why:
            dropped.append({"rows": None, "column": name, "why": trait.why})
        if trait.reader is not None:
            readers.append(trait.reader)
    ordered = sorted(_unique(found), key=lambda column: KINDS.index(column.kind))
    ordered += contents.channels
    return tuple(ordered), [*notes, *_why_notes(dropped)], dropped, readers


def _each(look: Callable[[str], Trait], names: Sequence[str], *, lazy: bool) -> Iterator[Trait]:
    """Look at each column; those of a large file two at a time (Polars and NumPy let go of the interpreter)."""
    if not lazy:
        yield from map(look, names)
        return
    with ThreadPoolExecutor(TOGETHER) as pool:
        yield from pool.map(look, names)


def _why_notes(dropped: Sequence[Dropped]) -> list[str]:
    groups: dict[str, list[str]] = {}
    for item in dropped:
        why = "It is constant." if item["why"].startswith("It is constant") else item["why"]
        groups.setdefault(why, []).append(item["column"])
    notes = []
    for why, names in groups.items():
        reason = why[0].lower() + why[1:].rstrip(".")
        if len(names) == 1:
            notes.append(f"Column {names[0]!r} is not used: {reason}.")
        else:
            notes.append(f"{len(names)} columns are not used, for each: {reason}. They are {listing(names)}.")
    if any("identifier" in why for why in groups):
        notes.append("--keep COLUMN uses such a column all the same.")
    return notes


def _unique(columns: Sequence[Column]) -> list[Column]:
    """Give a date part another name where a column of the file has it already."""
    sources = {c.source for c in columns}
    out = []
    for column in columns:
        name = column.name
        while name != column.source and name in sources:
            name += "_"
        out.append(replace(column, name=name))
    return out


def listing(names: Sequence[str]) -> str:
    """Return the first names, in words."""
    return ", ".join(repr(name) for name in names[:8]) + (" …" if len(names) > 8 else "")
