"""Cells that do not fit a schema, counted: within one reading, and over the parts of a long one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

SHOWN = 3  # words that are shown


class Misfit(NamedTuple):
    """What does not fit in one column.

    Attributes:
        column: its name.
        what: ``words``, ``infinite`` or ``unknown``.
        cells: how many.
        belongs: what belongs there instead of words.
        shown: the first different words, in the order of the alphabet.

    """

    column: str
    what: str
    cells: int
    belongs: str = ""
    shown: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        """What is said about it."""
        if self.what == "words":
            shown = ", ".join(repr(word[:20]) for word in self.shown)
            return (
                f"Column {self.column!r} holds {self.cells:,} words where {self.belongs} belong ({shown}): read as "
                "missing."
            )
        if self.what == "infinite":
            return f"Column {self.column!r} holds {self.cells:,} infinite values: read as missing."
        return f"Column {self.column!r} holds {self.cells:,} values of unknown categories."


def merged(found: Iterable[Misfit]) -> list[Misfit]:
    """Return the misfits of several parts as those of the whole."""
    whole: dict[tuple[str, str], Misfit] = {}
    for one in found:
        old = whole.get((one.column, one.what))
        if old is not None:
            shown = tuple(sorted({*old.shown, *one.shown})[:SHOWN])
            one = old._replace(cells=old.cells + one.cells, shown=shown)
        whole[(one.column, one.what)] = one
    return list(whole.values())
