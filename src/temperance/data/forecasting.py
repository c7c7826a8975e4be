"""Forecasts: earlier values of the target and parts of the calendar as inputs, and the offer of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from temperance.data import clock_columns, steps
from temperance.data.base import Contents
from temperance.data.choices import Choices, ColumnChoice
from temperance.data.infer import infer
from temperance.data.target import Aim
from temperance.records.errors import DataError, SettingError
from temperance.records.layout import Forecast, lag_name
from temperance.records.schema import Column, Schema

SEASONS = {
    1 / 24: (1, 24, 168), 1 / 48: (1, 48, 336), 1 / 96: (1, 96, 672), 1.0: (1, 7), 7.0: (1, 52),
    1 / 1440: (1, 60, 1440),
}  # fmt: skip
BY_ROW = (1, 4, 7, 12, 24)
WORTH = 0.3  # correlation with an earlier value from which earlier values are offered
PARTS = ("month", "weekday", "hour")
FEW = 200  # rows below which nothing is offered


@dataclass(frozen=True, eq=False)
class Framed:
    """Contents with columns of earlier values.

    Attributes:
        contents: with them.
        columns: the further inputs.
        forecast: what they are.
        taken: columns of the file that are no inputs because the moment is made of them.
        notes: plain sentences.

    """

    contents: Contents
    columns: tuple[Column, ...]
    forecast: Forecast
    taken: tuple[str, ...]
    notes: tuple[str, ...]


def frame(contents: Contents, aim: Aim, time: str | None, choices: Choices) -> Framed:
    """Add the lags that ``choices`` name, and month, weekday and hour of the moment where they vary.

    Raises:
        SettingError: no time is named, or a lag below the horizon.
        DataError: several rows of a series at one moment, or no row has an earlier value.

    """
    if time is None:
        raise SettingError("--lags without --time", "the column of the moment", "Add --time COLUMN")
    check_lags(choices.lags, choices.horizon)
    when = clock_columns.times(contents, time, choices)
    codes = steps.series_codes(contents, choices.by)
    doubled = steps.refuse_shared(contents, when, codes, choices.by)
    known, dated = np.isfinite(when), clock_columns.is_dated(contents, time)
    step = steps.step_of(when[known], codes[known], dated=dated)
    word = steps.in_words(step, dated=dated)
    forecast = Forecast(time, choices.lags, choices.horizon, choices.by, step, word)
    lagged = _lagged(contents, aim, when, codes, forecast)
    if all(series.null_count() == len(series) for series in lagged):
        raise DataError(
            f"No row of {contents.name} has a row {_before(forecast)} before it",
            "Series that are longer than the lags", "Give shorter --lags, or check --time and --by",
        )  # fmt: skip
    made = _with_columns(contents, lagged, when, time)
    columns = [c for series in lagged for c in infer(series, plain=True).columns]
    calendar = infer(made.column(time), choice=ColumnChoice("date") if clock_columns.JOIN in time else choices.of(time))
    columns += [part for part in calendar.columns if part.part in PARTS]
    taken = tuple(p.strip() for p in time.split(clock_columns.JOIN)) if time not in contents.names else (time,)
    told = (*_told(contents, aim, forecast, lagged, columns), *doubled)
    return Framed(made, tuple(columns), forecast, taken, told)


def reframe(contents: Contents, schema: Schema, aim: Aim, choices: Choices) -> tuple[Contents, tuple[str, ...]]:
    """Add the earlier values that a model takes to later data, and say what is lacking.

    Raises:
        DataError: neither the earlier values nor what they are computed from are there.

    """
    forecast = schema.forecast
    if forecast is None:
        return contents, ()
    target = schema.target.name
    names = forecast.names(target)
    parts = [forecast.time] if forecast.time in contents.names else forecast.time.split(clock_columns.JOIN)
    needed = [*(part.strip() for part in parts), *([forecast.by] if forecast.by else [])]
    whole = all(name in contents.names for name in names)
    absent = [name for name in [*needed, *([] if whole else [target])] if name not in contents.names]
    if absent:
        raise DataError(
            f"{contents.name} lacks {', '.join(map(repr, absent))}: the model forecasts {target!r} from its own values "
            f"{_before(forecast)} before",
            f"A file with {', '.join(map(repr, [*needed, target]))} whose rows go back {forecast.lags[-1]} steps "
            f"(a step: {forecast.word}); {target!r} is empty in the rows to be predicted",
            f"Add the last known rows; or give the values themselves in columns {', '.join(map(repr, names))}",
        )  # fmt: skip
    when = clock_columns.times(contents, forecast.time, choices)
    if whole:
        return _with_columns(contents, [], when, forecast.time), ()
    codes = steps.series_codes(contents, forecast.by)
    doubled = steps.refuse_shared(contents, when, codes, forecast.by)
    lagged = _lagged(contents, aim, when, codes, forecast)
    notes = tuple(
        f"{series.null_count():,} of {len(series):,} rows have no known {target!r} {lag} steps before them in this "
        f"file: read as missing. Give the rows before them too, with their {target!r}, for a better answer."
        for series, lag in zip(lagged, forecast.lags, strict=True) if series.null_count()
    )  # fmt: skip
    return _with_columns(contents, lagged, when, forecast.time), (*doubled, *notes)


def offer(contents: Contents, aim: Aim, time: str, choices: Choices) -> tuple[str, ...]:
    """Return a note that earlier values of a numeric target go with it, and the options that use them; or none."""
    if aim.target.task != "regression":
        return ()
    when = clock_columns.times(contents, time, choices)
    known = np.isfinite(when) & np.isfinite(aim.values)
    by = choices.by
    codes = steps.series_codes(contents, by)
    if steps.shared_rows(when, codes) and not steps.clocks_back(when, codes):
        by = steps.tells_apart(contents, when)
        if not by:
            return ()
        codes = steps.series_codes(contents, by)
    if int(known.sum()) < FEW:
        return ()
    dated = clock_columns.is_dated(contents, time)
    step = steps.step_of(when[np.isfinite(when)], codes[np.isfinite(when)], dated=dated)
    found = {lag: _goes_with(aim.values, steps.earlier(when, codes, lag, step)) for lag in lags_for(step)}
    worth = [lag for lag, value in found.items() if value >= WORTH]
    if not worth:
        return ()
    shown = ", ".join(f"{found[lag]:.2f} with {lag} before" for lag in worth)
    each = f" for each {by!r}" if by else ""
    word = steps.in_words(step, dated=dated)
    return (
        f"The target {aim.target.name!r} is measured every {word}{each} and goes with its own earlier "
        f"values (correlation {shown}). They are not used. To forecast with them, {word} by "
        f"{word}: --lags {','.join(map(str, worth))} --horizon 1{f' --by {by}' if by else ''}; a "
        "longer horizon uses only what is known so many steps before.",
    )


def lags_for(step: float) -> tuple[int, ...]:
    """Return the lags that are looked at: one step, a day, a week … in steps."""
    for known, lags in SEASONS.items():
        if abs(step - known) < 0.01 * known:
            return lags
    return BY_ROW


def check_lags(lags: Sequence[int], horizon: int) -> None:
    """Refuse lags that would look into the future.

    Raises:
        SettingError: a lag below the horizon, or a horizon below 1.

    """
    if horizon < 1:
        raise SettingError(f"--horizon {horizon}", "a whole number from 1 up", "Use --horizon 1 for the next step")
    if min(lags) < horizon:
        raise SettingError(
            f"--lags {','.join(map(str, lags))} with --horizon {horizon}",
            f"lags of at least {horizon}: {horizon} steps ahead, nothing later is known",
            f"Write --lags {','.join(map(str, sorted({max(lag, horizon) for lag in lags})))}",
        )


def _lagged(
    contents: Contents, aim: Aim, when: NDArray[np.float64], codes: NDArray[np.int64], forecast: Forecast
) -> list[pl.Series]:
    if aim.target.task == "regression":
        source = pl.Series(aim.values).fill_nan(None)
    else:
        names = np.array([*aim.target.classes, None], dtype=object)
        source = pl.Series(names[aim.values].tolist(), dtype=pl.String)
    out = []
    for lag in forecast.lags:
        place = steps.earlier(when, codes, lag, forecast.step)
        rows = pl.Series(place).cast(pl.Int64)
        out.append(source.gather(rows.set(rows < 0, None)).rename(lag_name(aim.target.name, lag)))
    return out


def _with_columns(contents: Contents, lagged: list[pl.Series], when: NDArray[np.float64], time: str) -> Contents:
    more = list(lagged)
    if time not in contents.names:
        micro = pl.Series(time, np.where(np.isfinite(when), np.round(when * 86_400_000_000.0), 0).astype(np.int64))
        stamps = micro.cast(pl.Datetime("us"))
        more.append(stamps.set(pl.Series(~np.isfinite(when)), None))
    lazy = contents.frame.lazy().collect() if not isinstance(contents.frame, pl.DataFrame) else contents.frame
    return replace(contents, frame=lazy.with_columns(more))


def _goes_with(values: NDArray[np.float64], place: NDArray[np.int64]) -> float:
    pairs = np.flatnonzero((place >= 0) & np.isfinite(values) & np.isfinite(values[place]))
    if len(pairs) < FEW // 2:
        return 0.0
    now, before = values[pairs], values[place[pairs]]
    spread = float(now.std() * before.std())
    return float(((now - now.mean()) * (before - before.mean())).mean() / spread) if spread > 0 else 0.0


def _before(forecast: Forecast) -> str:
    lags = [str(lag) for lag in forecast.lags]
    many = "step" if lags == ["1"] else "steps"
    return (", ".join(lags[:-1]) + " and " if lags[1:] else "") + f"{lags[-1]} {many} (a step: {forecast.word})"


def _told(
    contents: Contents, aim: Aim, forecast: Forecast, lagged: Sequence[pl.Series], columns: Sequence[Column]
) -> tuple[str, ...]:
    target = aim.target.name
    each = f" of the same {forecast.by!r}" if forecast.by else ""
    notes = [
        f"The values of {target!r} {_before(forecast)}{each} before a row are inputs. The forecast is "
        f"for {forecast.horizon} {'step' if forecast.horizon == 1 else 'steps'} ahead: no later value is used, and to "
        f"predict, the last {forecast.lags[-1]} steps of {target!r} must be known."
    ]
    parts = [c.part for c in columns if c.part]
    if parts:
        notes.append(f"Of the moment ({forecast.time}) {', '.join(parts)} are inputs.")
    lacking = max(series.null_count() for series in lagged)
    if lacking:
        notes.append(f"{lacking:,} of {len(lagged[0]):,} rows have not all earlier values: these are read as missing.")
    if not forecast.step:
        notes.append(f"The moments are not evenly spaced: a step is one row{each}, however long it took.")
    return tuple(notes)
