from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest

from temperance import data
from temperance.data import summary
from temperance.data.summary import numeric_summary, profile, series_summary
from temperance.records.schema import Column, Rows, Schema, Target
from temperance.records.table import Table


def test_figures_by_hand() -> None:
    row = numeric_summary("x", np.array([1.0, 2.0, 2.0, np.nan, 5.0]))
    assert (row["missing"], row["unique"], row["low"], row["high"], row["mean"]) == (1, 3, 1.0, 5.0, 2.5)
    assert row["quantiles"]["0.5"] == 2.0


def test_a_column_without_values_and_huge_values_stay_json_safe() -> None:
    empty = numeric_summary("x", np.full(3, np.nan))
    huge = numeric_summary("x", np.array([1.7e308, 1.7e308, -1.7e308]))
    json.dumps([empty, huge], allow_nan=False)
    assert (empty["missing"], empty["mean"], empty["unique"]) == (3, None, 0)
    assert huge["high"] == 1.7e308


def test_a_profile_of_a_table() -> None:
    frame = pl.DataFrame({"n": [1.5, None, 3.0, 4.0] * 5, "c": ["a", "b", "a", None] * 5, "y": [0, 1, 1, 1] * 5})
    profile = data.read(frame, target="y").profile
    number, category = profile["columns"]
    assert profile["rows"] == 20
    assert (number["name"], number["missing"], number["kind"]) == ("n", 5, "numeric")
    assert (category["missing"], category["unique"], category["top"]) == (5, 2, [["a", 10], ["b", 5]])
    assert profile["target"]["top"] == [["0", 5], ["1", 15]]
    json.dumps(profile, allow_nan=False)


def test_a_numeric_target_is_summarised() -> None:
    frame = pl.DataFrame({"n": np.arange(40) * 0.37, "y": np.arange(40) * 0.5})
    assert data.profile(data.read(frame, target="y").table)["target"]["high"] == 19.5


def test_all_roads_to_the_figures_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    whole = rng.integers(-300, 900, 5000).astype(float)
    for values in (whole, np.where(rng.random(5000) < 0.1, np.nan, whole), rng.normal(size=5000).round(2)):
        counted = numeric_summary("x", values)
        monkeypatch.setattr(summary, "RANGE", 0)
        ordered = numeric_summary("x", values)
        monkeypatch.setattr(summary, "MANY", 100)
        estimated = numeric_summary("x", values)
        monkeypatch.undo()
        assert counted == ordered
        assert estimated.pop("about") is True
        assert abs(estimated["unique"] - ordered["unique"]) <= 0.02 * ordered["unique"]
        assert estimated | {"unique": ordered["unique"]} == ordered


def test_series_have_their_channels_in_the_profile() -> None:
    series = np.full((3, 2, 5), np.nan, dtype=np.float32)
    series[0, 0] = [1, 2, 3, 4, 5]
    series[1, 0, :4] = [7, np.nan, 9, 9]
    series[:, 1, :2] = -1
    found = series_summary(Column("load", "series", "load"), series[:, 0])
    assert (found["kind"], found["missing"], found["low"], found["high"]) == ("series", 1, 1.0, 9.0)
    assert found["lengths"] == [0, 5]
    schema = Schema((Column("load", "series"), Column("heat", "series")), Target("y", "regression"))
    rows = Rows(np.empty((3, 0)), np.empty((3, 0), dtype=np.int32), series=series)
    columns = profile(Table(schema, rows, np.arange(3.0)))["columns"]
    assert [one["name"] for one in columns] == ["load", "heat"]
    assert columns[1]["lengths"] == [2, 2]
