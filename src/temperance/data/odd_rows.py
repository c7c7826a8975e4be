"""Rows of a file that are no rows of the table: a line of units below the names, a line of totals at the end."""

from __future__ import annotations

from typing import Any

import polars as pl

from temperance.data.evidence import MOSTLY
from temperance.records.cells import anatomy, fold, is_missing_word, tidy

TOTALS = frozenset({"total", "totals", "sum", "summe", "gesamt", "insgesamt", "somme", "suma", "totale", "grand total"})
LEAST_ROWS = 10  # below it nothing is taken for odd
SAMPLE = 200


def odd_rows(frame: pl.DataFrame) -> tuple[int, int, tuple[str, ...], tuple[dict[str, Any], ...]]:
    """Find rows of units at the top and a row of totals at the end of a frame of texts.

    Returns:
        The first row of the table and the row behind its last one, notes, and what was left out.

    """
    notes, dropped, first, end = [], [], 0, frame.height
    if end < LEAST_ROWS:
        return first, end, (), ()
    last = next((cell for cell in frame.row(-1) if cell and fold(cell).rstrip(":") in TOTALS), None)
    if last is not None and not any(last in frame[name][:-1].to_list() for name in frame.columns):
        frame, end = frame[:-1], end - 1
        why = f"The last row ({last!r}) is a total, not a row."
        notes.append(f"{why[:-1]}: it was left out.")
        dropped.append({"rows": 1, "column": None, "why": why})
    while frame.height >= LEAST_ROWS and _is_units(frame):
        shown = ", ".join(repr(cell) for cell in frame.row(0) if cell)[:60]
        frame, first = frame[1:], first + 1
        notes.append(f"The row below the header ({shown}) holds units or further names: it was left out.")
        dropped.append({"rows": 1, "column": None, "why": "It holds units or further names below the header."})
        if len(notes) > 2:
            break
    return first, end, tuple(notes), tuple(dropped)


def without_headers(frame: pl.DataFrame) -> tuple[pl.DataFrame, tuple[str, ...], tuple[dict[str, Any], ...]]:
    """Return the frame without rows that repeat the header, as in files that were put together."""
    repeated = frame.select(pl.all_horizontal(pl.col(name) == name for name in frame.columns)).to_series()
    count = int(repeated.sum() or 0)
    if not count:
        return frame, (), ()
    why = "It repeats the header."
    note = f"{count:,} {'row repeats' if count == 1 else 'rows repeat'} the header: left out."
    return frame.filter(~repeated.fill_null(False)), (note,), ({"rows": count, "column": None, "why": why},)


def _is_units(frame: pl.DataFrame) -> bool:
    """Tell whether the first row holds words only, where the columns below hold numbers.

    A word that its column repeats is a value, and one that means "missing" no unit.
    """
    numeric = words = 0
    for name in frame.columns:
        first = frame[name][0]
        empty = first is None or is_missing_word(tidy(first), weak=False)
        again = not empty and first in frame[name][1:].to_list()
        if again and not is_missing_word(tidy(first), weak=True):
            return False
        below = [tidy(cell) for cell in frame[name][2 : 2 + SAMPLE].to_list() if cell]
        below = [cell for cell in below if not is_missing_word(cell, weak=True)]
        if not below or sum(anatomy(cell) is not None for cell in below) < MOSTLY * len(below):
            continue
        numeric += 1
        if empty or again or (anatomy(tidy(first)) is None and not any(letter.isdigit() for letter in first)):
            words += not empty and not again
        else:
            return False
    return numeric > 0 and words >= max(1, numeric / 2)
