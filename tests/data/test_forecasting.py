from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest

from temperance.data import read, split
from temperance.data.choices import choose
from temperance.data.forecasting import check_lags, lags_for
from temperance.records.errors import DataError, SettingError
from temperance.records.schema import Schema

HOURS = pl.datetime_range(pl.datetime(2024, 1, 1), pl.datetime(2024, 2, 9, 23), "1h", eager=True)


def demand(**columns: Any) -> pl.DataFrame:
    rng = np.random.default_rng(0)
    t = np.arange(len(HOURS))
    y = 100 + 40 * np.sin(2 * np.pi * t / 24) + rng.normal(size=len(t)) * 5
    return pl.DataFrame({"when": HOURS, "warm": rng.normal(size=len(t)), "load": y, **columns})


def lagged(frame: pl.DataFrame, lags: str = "1,24", **choices: Any) -> Any:
    return read(frame, target="load", time="when", choices=choose(lags=lags, **choices))


def column(reading: Any, name: str) -> np.ndarray:
    names = [c.name for c in reading.table.schema.numeric]
    return np.asarray(reading.table.rows.numeric[:, names.index(name)])


def test_lags_are_the_values_so_many_steps_before_whatever_the_order_of_the_file() -> None:
    frame = demand().sample(fraction=1.0, shuffle=True, seed=2)
    reading = lagged(frame)
    when, y = reading.table.time, reading.table.target
    by_hour = {round(float(t) * 24): v for t, v in zip(when, y, strict=True)}
    for lag in (1, 24):
        expected = [by_hour.get(round(float(t) * 24) - lag, np.nan) for t in when]
        np.testing.assert_allclose(column(reading, f"load {lag} before"), expected)
    assert {c.part for c in reading.table.schema.numeric} == {"", "weekday", "hour", "month"}


def test_no_later_value_reaches_a_row() -> None:
    """The values of the future are changed; the inputs of all rows up to the horizon stay."""
    for horizon, lags in ((1, "1,24"), (6, "6,24")):
        first = demand()
        cut = 500
        changed = first.with_columns(load=pl.when(pl.arange(first.height) < cut).then("load").otherwise(9999.0))
        before, after = (lagged(one, lags, horizon=horizon).table.rows.numeric for one in (first, changed))
        assert np.array_equal(before[: cut + horizon], after[: cut + horizon], equal_nan=True)
        assert not np.array_equal(before, after, equal_nan=True)


def test_series_of_several_shops_do_not_mix() -> None:
    both = pl.concat(
        [demand(shop=["a"] * len(HOURS)), demand(shop=["b"] * len(HOURS)).with_columns(pl.col("load") + 1e4)]
    )
    both = both.sort("when")
    with pytest.raises(DataError, match=r"same moment.*--by shop"):
        lagged(both)
    reading = lagged(both, by="shop")
    found, y = column(reading, "load 1 before"), reading.table.target
    known = np.isfinite(found)
    assert ((found > 5000) == (y > 5000))[known].all()
    assert (~known).sum() == 2
    roles = split(reading.table, seed=0)
    assert reading.table.time[roles.test].min() > reading.table.time[roles.development].max()


def test_the_offer_says_what_was_found_and_the_option() -> None:
    (said,) = [n for n in read(demand(), target="load", time="when").notes if "--lags" in n]
    assert "every hour" in said
    assert "--lags 1,24,168 --horizon 1" in said
    assert "not used" in said
    noise = demand().with_columns(load=pl.Series(np.random.default_rng(1).normal(size=len(HOURS))))
    assert not [n for n in read(noise, target="load", time="when").notes if "--lags" in n]


def test_later_rows_need_the_last_known_values() -> None:
    schema = Schema.from_dict(lagged(demand()).table.schema.to_dict())
    tail = demand().tail(30).with_columns(load=pl.when(pl.arange(30) < 29).then("load"))
    reading = read(tail, schema=schema)
    assert len(reading.table) == 30
    assert column(reading, "load 1 before")[-1] == pytest.approx(demand()["load"][-2])
    assert any("24 of 30 rows have no known 'load' 24 steps before" in note for note in reading.notes)
    with pytest.raises(DataError, match=r"lacks 'load'.*go back 24 steps.*empty in the rows to be predicted"):
        read(tail.drop("load"), schema=schema)
    given = tail.drop("load").with_columns(pl.lit(1.0).alias("load 1 before"), pl.lit(2.0).alias("load 24 before"))
    assert column(read(given, schema=schema), "load 24 before").tolist() == [2.0] * 30


def test_a_moment_of_several_columns() -> None:
    frame = demand().with_columns(
        year=pl.col("when").dt.year(), month=pl.col("when").dt.month(), day=pl.col("when").dt.day(),
        hour=pl.col("when").dt.hour(),
    ).drop("when")  # fmt: skip
    name = "year+month+day+hour"
    reading = read(frame, target="load", time=name, choices=choose(lags="24", horizon=24))
    names = [c.name for c in reading.table.schema.columns]
    assert names == ["warm", "load 24 before", f"{name}.month", f"{name}.weekday", f"{name}.hour"]
    later = read(frame.tail(40), schema=reading.table.schema, target="load")
    assert np.isfinite(column(later, "load 24 before")).sum() == 16
    plain = read(frame, target="load", time=name)
    assert {"month", "day", "hour"} <= {c.name for c in plain.table.schema.columns}
    assert any("guides the split; its columns are inputs" in note for note in plain.notes)


def test_classes_have_earlier_values_too() -> None:
    frame = demand().with_columns(load=pl.when(pl.col("load") > 100).then(pl.lit("high")).otherwise(pl.lit("low")))
    reading = lagged(frame, "1")
    (known,) = [c for c in reading.table.schema.categorical if c.name == "load 1 before"]
    assert set(known.vocabulary) == {"high", "low"}


def test_errors_in_words() -> None:
    with pytest.raises(SettingError, match="--lags without --time"):
        read(demand(), target="load", choices=choose(lags="1"))
    with pytest.raises(SettingError, match=r"lags of at least 24.*Write --lags 24,168"):
        check_lags((1, 24, 168), 24)
    with pytest.raises(SettingError, match="--horizon 0"):
        check_lags((1,), 0)
    with pytest.raises(SettingError, match="--lags 1,x"):
        choose(lags="1,x")
    with pytest.raises(DataError, match="No row of data has a row 5000 steps"):
        lagged(demand(), "5000")


def test_lags_that_are_looked_at() -> None:
    assert lags_for(1 / 24) == (1, 24, 168)
    assert lags_for(1.0) == (1, 7)
    assert lags_for(0.0)[0] == 1


def test_a_target_with_holes_gives_missing_lags() -> None:
    frame = demand().with_columns(load=pl.when(pl.arange(len(HOURS)) == 300).then(None).otherwise("load"))
    reading = lagged(frame, "1")
    assert len(reading.table) == len(HOURS) - 1
    after = np.flatnonzero(np.abs(reading.table.time - (19723 + 301 / 24)) < 1e-6)
    assert np.isnan(column(reading, "load 1 before")[after]).all()
    assert len(after) == 1
