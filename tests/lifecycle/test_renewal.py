"""New data against the schema of a model that exists."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from temperance.data import read, split
from temperance.data.choices import Choices, choose
from temperance.lifecycle.renewal import extended, renew
from temperance.records.errors import DataError
from temperance.records.schema import MISSING, Column, Schema, Target


def frame(rows: int = 60, *, words: tuple[str, ...] = ("a", "b"), shift: float = 0.0) -> dict[str, list[object]]:
    rng = np.random.default_rng(0)
    return {
        "x": list(shift + rng.uniform(size=rows)),
        "c": [words[i % len(words)] for i in range(rows)],
        "y": ["no", "yes"] * (rows // 2),
    }


def old_schema() -> Schema:
    return read(frame(), target="y").table.schema


def test_old_codes_stay_and_new_categories_follow(tmp_path: Path) -> None:
    found = renew(frame(words=("z", "b")), old_schema(), target=None, group=None, time=None, workdir=tmp_path)
    column = found.reading.table.schema.categorical[0]
    assert column.vocabulary == ("a", "b", "z")
    assert sorted(set(found.reading.table.rows.categorical[:, 0].tolist())) == [1, 2]
    assert found.changes == ({"column": "c", "what": "It has 1 new category: 'z'."},)


def test_a_range_that_moves_is_said(tmp_path: Path) -> None:
    found = renew(frame(shift=5.0), old_schema(), target="y", group=None, time=None, workdir=tmp_path)
    assert [row["column"] for row in found.changes] == ["x"]
    assert "now runs from 5" in found.changes[0]["what"]
    assert found.reading.table.schema.numeric[0].low == pytest.approx(5.0, abs=0.1)


def test_a_range_of_days_is_said_in_dates(tmp_path: Path) -> None:
    def dated(year: int) -> dict[str, list[object]]:
        return {**frame(), "day": [f"{year}-{1 + i % 12:02d}-15" for i in range(60)]}

    old = read(dated(2023), target="y").table.schema
    found = renew(dated(2025), old, target="y", group=None, time=None, workdir=tmp_path)
    told = {row["column"]: row["what"] for row in found.changes}
    assert told["day"] == "It now runs from 2025-01-15 to 2025-12-15; before, from 2023-01-15 to 2023-12-15."


def test_new_and_empty_columns_are_said_and_not_used(tmp_path: Path) -> None:
    data = {**frame(), "extra": list(np.random.default_rng(1).uniform(size=60)), "c": [None] * 60}
    found = renew(data, old_schema(), target="y", group=None, time=None, workdir=tmp_path)
    assert {row["column"] for row in found.changes} == {"c", "extra"}
    assert [c.name for c in found.reading.table.schema.columns] == ["x", "c"]
    assert (found.reading.table.rows.categorical == MISSING).all()


def test_a_class_that_is_missing_keeps_its_place(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    three = {"x": rng.uniform(size=60), "y": ["p", "q", "r"] * 20}
    schema = read(three, target="y").table.schema
    two = {"x": rng.uniform(size=60), "y": ["p", "r"] * 30}
    found = renew(two, schema, target="y", group=None, time=None, workdir=tmp_path)
    assert found.reading.table.schema.target.classes == ("p", "q", "r")
    assert set(found.reading.table.target.tolist()) == {0, 2}


def test_another_target_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="Pass --target y"):
        renew(frame(), old_schema(), target="x", group=None, time=None, workdir=tmp_path)


def test_a_column_of_another_kind_keeps_its_kind() -> None:
    target = Target("y", "binary", ("no", "yes"))
    old = Schema((Column("x", "numeric", low=0.0, high=1.0),), target)
    new = Schema((Column("x", "categorical", ("low", "high")),), target)
    schema, changes = extended(old, new)
    assert schema.columns == old.columns
    assert "look categorical" in changes[0]["what"]


def test_new_data_of_a_forecast_are_read_with_their_lags_and_split_by_time(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    days = [f"2024-{1 + k // 28:02d}-{1 + k % 28:02d}" for k in range(224)]
    data = {"day": days, "x": rng.normal(size=224).tolist(), "y": rng.normal(size=224).cumsum().tolist()}
    choices = choose(lags="1,7")
    old = read(data, target="y", time="day", choices=choices).table.schema
    found = renew(data, old, target=None, group=None, time=None, workdir=tmp_path)
    assert found.changes == ()
    table = found.reading.table
    assert table.schema.columns == old.columns
    assert table.time is not None
    roles = split(table, seed=0)
    assert table.time[roles.test].min() > table.time[roles.train].max()


def test_new_data_of_series_in_a_long_table_are_read_as_series(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    data = {
        "id": [i for i in range(40) for _ in range(12)], "t": [t for _ in range(40) for t in range(12)],
        "v": rng.normal(size=480).tolist(), "y": ["up" if i % 2 else "down" for i in range(40) for _ in range(12)],
    }  # fmt: skip
    old = read(data, target="y", time="t", choices=choose(id_column="id")).table.schema
    found = renew(data, old, target=None, group=None, time=None, workdir=tmp_path)
    assert found.changes == ()
    assert len(found.reading.table) == 40


def hourly(rows: int = 300) -> dict[str, list[object]]:
    load = np.random.default_rng(0).normal(size=rows) + 5 * np.sin(np.arange(rows) * np.pi / 12)
    return {"when": [f"2024-01-{1 + h // 24:02d} {h % 24:02d}:00" for h in range(rows)], "load": list(load)}


def test_a_forecast_keeps_its_lags_and_is_tested_on_the_latest_rows(tmp_path: Path) -> None:
    lagged = Choices(lags=(24,), horizon=24)
    old = read(hourly(), target="load", time="when", choices=lagged).table.schema
    found = renew(hourly(), old, target=None, group=None, time=None, workdir=tmp_path)
    assert found.changes == ()
    assert found.reading.table.time is not None
    assert len(split(found.reading.table, seed=0).test)
    assert min(split(found.reading.table, seed=0).test) > max(split(found.reading.table, seed=0).train)


def test_series_of_a_long_table_are_the_same_inputs(tmp_path: Path) -> None:
    draw = np.random.default_rng(0)
    long = {
        "id": [f"m{i}" for i in range(40) for _ in range(20)], "t": list(range(20)) * 40,
        "power": list(draw.normal(size=800)), "y": [("calm", "shaken")[i % 2] for i in range(40) for _ in range(20)],
    }  # fmt: skip
    old = read(long, target="y", time="t", choices=Choices(id="id")).table.schema
    found = renew(long, old, target=None, group=None, time=None, workdir=tmp_path)
    assert found.changes == ()
    assert found.reading.table.target.shape == (40,)
