"""Read new data for a model that exists: same inputs and target, vocabularies that may grow; what changed is said."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from temperance.data import Reading, read
from temperance.data.choices import AS_FOUND, Choices
from temperance.evaluation.slicing import said
from temperance.records.errors import DataError
from temperance.records.schema import Column, Schema
from temperance.records.table import Table

SHOWN = 5  # names of new categories that a sentence lists


@dataclass(frozen=True, eq=False)
class Renewal:
    """New data, read.

    Attributes:
        reading: the rows, in the challenger's schema.
        changes: ``{"column", "what"}``: what differs from the data that the champion was made from.

    """

    reading: Reading
    changes: tuple[dict[str, str], ...]


def renew(
    data: Any, old: Schema, *, target: str | None, group: str | None, time: str | None, workdir: Path,
    choices: Choices = AS_FOUND, weight: str | None = None,
) -> Renewal:  # fmt: skip
    """Read ``data`` for a challenger of a model with the schema ``old``.

    Input columns, target, task and classes stay. A vocabulary keeps its categories and their codes, and new categories
    are added after them, so that both models can be asked about the same rows.

    Raises:
        DataError: another target, a column that is missing, a class that the champion does not know.

    """
    name = old.target.name
    if target is not None and target != name:
        raise DataError(
            f"the target {target!r}",
            f"the model in the bundle predicts {name!r}",
            f"Pass --target {name}, or run `temperance study` for another target",
        )
    schema, changes = old, list[dict[str, str]]()
    time, choices = as_learned(old, time, choices)
    if old.kind == "table":
        task = "regression" if old.target.task == "regression" else "classification"  # the order is the old schema's
        first = read(
            data, target=name, task=task, group=group, time=time, weight=weight, workdir=workdir / "first",
            choices=choices,
        )  # fmt: skip
        schema, changes = extended(old, first.table.schema)
    reading = read(
        data, target=name, schema=schema, group=group, time=time, weight=weight, workdir=workdir / "second",
        choices=choices,
    )  # fmt: skip
    if old.kind == "table":
        check_style(reading.table, first.table)
    return Renewal(reading, tuple(changes))


def as_learned(old: Schema, time: str | None, choices: Choices) -> tuple[str | None, Choices]:
    """Return the time and the choices with the frame that the model has: its lags, or its series of a long table.

    A forecast is tested on the latest rows, as its study was: rows in between would know what comes after.
    """
    if old.forecast is not None:
        made = old.forecast
        return time or made.time, replace(choices, lags=made.lags, horizon=made.horizon, by=made.by)
    if old.long is not None:
        return time or old.long.time or None, replace(choices, id=old.long.id)
    return time, choices


def check_style(table: Table, fresh: Table) -> None:
    """Refuse new data where most numbers of a column are written in another way than the model learned.

    Args:
        table: read as the model learned to read.
        fresh: the same, read as the new data themselves say.

    Raises:
        DataError: such a column; as missing values it would teach the challenger nothing.

    """
    found = {column.name: j for j, column in enumerate(fresh.schema.numeric)}
    for j, column in enumerate(table.schema.numeric):
        if column.name not in found or column.part:
            continue
        other = fresh.schema.numeric[found[column.name]]
        known = np.isfinite(fresh.rows.numeric[:, found[column.name]]).sum()
        if 2 * np.isfinite(table.rows.numeric[:, j]).sum() < known and other.style != column.style:
            raise DataError(
                f"the numbers of {column.name!r} are written like {other.style.example} in the new data",
                f"the model learned them like {column.style.example}",
                f"Say how they are written now: --column '{column.name}=number,decimal={other.style.decimal}'",
            )


def extended(old: Schema, new: Schema) -> tuple[Schema, list[dict[str, str]]]:
    """Return ``old`` with vocabularies and ranges brought up to date from ``new``, and what changed."""
    found = {column.name: column for column in new.columns}
    columns, changes = [], []
    for column in old.columns:
        fresh = found.get(column.name)
        columns.append(_updated(column, fresh))
        what = _change(column, fresh)
        if what:
            changes.append({"column": column.name, "what": what})
    known = {c.source or c.name for c in old.columns} | set(old.ignored)
    for name in dict.fromkeys(c.source or c.name for c in new.columns):
        if name not in known:
            changes.append({"column": name, "what": "It is new and is not an input of this model."})
    return replace(old, columns=tuple(columns)), changes


def _updated(column: Column, fresh: Column | None) -> Column:
    if fresh is None or fresh.kind != column.kind:
        return column
    if column.kind == "numeric":
        return replace(column, low=fresh.low, high=fresh.high)
    added = tuple(value for value in fresh.vocabulary if value not in column.codes)
    return replace(column, vocabulary=(*column.vocabulary, *added))


def _change(column: Column, fresh: Column | None) -> str:
    if fresh is None:
        return "It holds nothing to learn from in the new data."
    if fresh.kind != column.kind:
        return f"It was read as {column.kind}; the new data look {fresh.kind}."
    if column.kind == "numeric":
        return _moved(column, fresh)
    added = [value for value in fresh.vocabulary if value not in column.codes]
    if not added:
        return ""
    names = ", ".join(repr(value) for value in added[:SHOWN]) + (" …" if len(added) > SHOWN else "")
    return f"It has {len(added):,} new {'category' if len(added) == 1 else 'categories'}: {names}."


def _moved(column: Column, fresh: Column) -> str:
    """Say so where the new values leave the old range by more than a tenth of it."""
    if None in (column.low, column.high, fresh.low, fresh.high):
        return ""
    low, high, new_low, new_high = (float(v) for v in (column.low, column.high, fresh.low, fresh.high))  # type: ignore[arg-type]
    slack = 0.1 * (high - low)
    if new_low >= low - slack and new_high <= high + slack:
        return ""
    now, before = ([said(column, value) for value in ends] for ends in ((new_low, new_high), (low, high)))
    return f"It now runs from {now[0]} to {now[1]}; before, from {before[0]} to {before[1]}."
