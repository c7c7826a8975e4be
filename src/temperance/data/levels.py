"""Targets of a kind: classes that are levels, by their numbers or the user's order; numbers that are counts."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from temperance.data.choices import ColumnChoice
from temperance.records.errors import DataError, nearest
from temperance.records.schema import Target


def in_order(target: Target, codes: NDArray[Any], choice: ColumnChoice) -> tuple[Target, NDArray[Any], str]:
    """Return a target of classes as levels in their order, the codes of the rows, and a note.

    Args:
        target: read as classes.
        codes: (b,) of the rows, −1 = missing.
        choice: its ``levels`` name the order; empty: the classes are numbers and stand in their order already.

    Raises:
        DataError: words without an order, an unknown level, a class that no level names, or two classes only.

    """
    levels = choice.levels
    shown = ", ".join(repr(name) for name in target.classes[:8])
    if len(target.classes) < 3:
        raise DataError(
            f"The target {target.name!r} holds the classes {shown}",
            "At least three levels",
            "Use --task classification",
        )
    if not levels and not all(_is_number(name) for name in target.classes):
        raise DataError(
            f"The levels of {target.name!r} are words ({shown}), and words do not say their order",
            "Numbers, or the order from you",
            f"Name the levels, the lowest first: --column '{target.name}=category,levels=low|middle|high'",
        )
    note = f"The classes of {target.name!r} are levels, the lowest first: {shown}."
    if levels:
        absent = [name for name in target.classes if name not in levels]
        if absent:
            raise DataError(
                f"The target {target.name!r} holds {absent[0]!r}, which is none of the levels",
                f"You named {', '.join(levels)}",
                nearest(absent[0], levels) or "Name every class once",
            )
        order = [target.classes.index(name) for name in levels if name in target.classes]
        place = np.empty(len(order) + 1, dtype=np.int64)
        place[order], place[-1] = np.arange(len(order)), -1
        target = replace(target, classes=tuple(target.classes[k] for k in order))
        codes = place[codes]
        note = f"The classes of {target.name!r} are levels in your order: {', '.join(map(repr, target.classes[:8]))}."
    return replace(target, ordered=True), codes, note


def _is_number(name: str) -> bool:
    try:
        float(name)
    except ValueError:
        return False
    return True


def are_counts(values: NDArray[np.float64]) -> bool:
    """Tell whether values may be counts: whole, and 0 or more.

    Shapes: values (n,).
    """
    return bool((values >= 0).all() and (values == np.floor(values)).all())


def as_counts(target: Target, values: NDArray[Any]) -> tuple[Target, tuple[str, ...]]:
    """Return a numeric target as counts, and notes.

    Shapes: values (b,), NaN = missing.

    Raises:
        DataError: values below 0.

    """
    found = values[np.isfinite(values)]
    if found.min() < 0:
        raise DataError(
            f"The target {target.name!r} holds {found.min():g}", "Counts, 0 or more", "Use --task regression"
        )
    notes = ["They are read as counts: models predict their mean on a log scale."]
    if not are_counts(found):
        notes.append(f"Some values of {target.name!r} are no whole numbers; as rates they are learnt all the same.")
    return replace(target, counts=True), tuple(notes)
