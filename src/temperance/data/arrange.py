"""How the rows of a file become rows of a table, and what the moment of a row may be made of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from temperance.data import clock_columns, forecasting, long_table
from temperance.data.base import Contents
from temperance.data.choices import Choices
from temperance.data.target import Aim
from temperance.records.errors import SettingError
from temperance.records.layout import Forecast, Long
from temperance.records.schema import Column, Schema


class Moment(NamedTuple):
    """What the time of a file gives beside the order of its rows.

    Attributes:
        contents: with columns of earlier values, where they are wanted.
        columns: further inputs.
        taken: columns that are no inputs.
        forecast: see ``Schema``.
        notes: plain sentences.

    """

    contents: Contents
    columns: tuple[Column, ...] = ()
    taken: tuple[str, ...] = ()
    forecast: Forecast | None = None
    notes: tuple[str, ...] = ()


def series_of(
    contents: Contents, target: str | None, time: str | None, choices: Choices, schema: Schema | None
) -> tuple[Contents, Long | None]:
    """Return one row per series where the file is a long table, else the contents as they are.

    Raises:
        DataError: see ``long_table.gather``.
        SettingError: series and earlier values of the target at once.

    """
    long = Long(choices.id, time or "") if choices.id else None
    long = schema.long if schema is not None else long
    if long is None:
        return contents, None
    if choices.lags:
        raise SettingError("--id and --lags together", "--id for one answer per series, --lags for one per moment",
                           "Leave one out; --by tells several series with an answer per moment apart")  # fmt: skip
    name = schema.target.name if schema is not None else target or contents.target
    return long_table.gather(contents, long, name, choices, schema), long


def moment_of(contents: Contents, aim: Aim, time: str | None, choices: Choices) -> Moment:
    """Add earlier values where the user wants them; else say what the moment could give.

    Raises:
        DataError, SettingError: see ``forecasting.frame``.

    """
    if choices.lags:
        made = forecasting.frame(contents, aim, time, choices)
        return Moment(made.contents, made.columns, made.taken, made.forecast, made.notes)
    if time is None:
        found = clock_columns.find(contents)
        note = clock_columns.found_note(contents, found) if clock_columns.JOIN in found else ""
        return Moment(contents, notes=(note,) if note else ())
    taken = (time,) if time in contents.names else ()
    return Moment(contents, taken=taken, notes=forecasting.offer(contents, aim, time, choices))


def guides_note(group: str | None, time: str | None, contents: Contents) -> Sequence[str]:
    """Say which columns guide the split."""
    named = [repr(one) for one in (group, time) if one is not None and one in contents.names]
    notes = [f"{' and '.join(named)} guides the split and is no input of the model."] if named else []
    if time is not None and time not in contents.names:
        notes.append(f"The moment {time} guides the split; its columns are inputs as they are.")
    return notes
