"""Targets of a kind: classes that are levels, by their numbers or the user's order; numbers that are counts."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from temperance.data.choices import ColumnChoice
from temperance.records.errors import DataError, nearest

if TYPE_CHECKING:
    from temperance.data.target import Aim


def in_order(aim: Aim, choice: ColumnChoice) -> Aim:
    """Return a target of classes as levels in their order.

    Args:
        aim: read as classes.
        choice: its ``levels`` name the order; empty: the classes are numbers and stand in their order already.

    Raises:
        DataError: words without an order, an unknown level, a class that no level names, or two classes only.

    """
    target, levels = aim.target, choice.levels
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
        aim = aim._replace(values=place[aim.values])
        note = f"The classes of {target.name!r} are levels in your order: {', '.join(map(repr, target.classes[:8]))}."
    return aim._replace(target=replace(target, ordered=True), notes=(*aim.notes, note))


def _is_number(name: str) -> bool:
    try:
        float(name)
    except ValueError:
        return False
    return True


def are_counts(values: NDArray[np.float64]) -> bool:
    """Tell whether values may be counts: whole, and 0 or more."""
    return bool((values >= 0).all() and (values == np.floor(values)).all())


def as_counts(aim: Aim) -> Aim:
    """Return a numeric target as counts.

    Raises:
        DataError: values below 0.

    """
    found = aim.values[np.isfinite(aim.values)]
    if found.min() < 0:
        raise DataError(
            f"The target {aim.target.name!r} holds {found.min():g}", "Counts, 0 or more", "Use --task regression"
        )
    notes = [note for note in aim.notes if "pass --task counts" not in note]
    notes.append("They are read as counts: models predict their mean on a log scale.")
    if not are_counts(found):
        notes.append(f"Some values of {aim.target.name!r} are no whole numbers; as rates they are learnt all the same.")
    return aim._replace(target=replace(aim.target, counts=True), notes=tuple(notes))
