from __future__ import annotations

import numpy as np
import polars as pl

from temperance.data.arrange import guides_note, moment_of, series_of
from temperance.data.base import Contents
from temperance.data.choices import AS_FOUND, choose
from temperance.data.target import read_target
from temperance.records.layout import Long

FRAME = pl.DataFrame({
    "id": ["a", "a", "b", "b"], "t": [1, 2, 1, 2], "x": [0.5, 1.5, 2.5, 3.5], "y": [1.5, 1.5, 2.5, 2.5],
    "year": [2020, 2020, 2021, 2021], "month": [1, 2, 1, 2],
})  # fmt: skip


def test_a_row_is_a_row_unless_an_id_is_named() -> None:
    contents = Contents(FRAME, "data", "")
    assert series_of(contents, "y", "t", AS_FOUND, None) == (contents, None)
    made, long = series_of(contents, "y", "t", choose(id_column="id"), None)
    assert long == Long("id", "t")
    assert made.labels == ("a", "b")
    assert made.frame.height == 2


def test_what_could_be_a_moment_is_told_where_no_time_is_named() -> None:
    contents = Contents(FRAME, "data", "")
    aim = read_target(FRAME["y"], task="regression")
    (note,) = moment_of(contents, aim, None, AS_FOUND).notes
    assert "--time year+month" in note
    found = moment_of(contents, aim, "t", AS_FOUND)
    assert found.taken == ("t",)
    assert found.notes == ()
    assert found.forecast is None


def test_lags_bring_columns_and_a_forecast() -> None:
    frame = pl.DataFrame({"t": np.arange(50), "y": np.arange(50) * 0.5})
    made = moment_of(
        Contents(frame, "data", ""), read_target(frame["y"], task="regression"), "t", choose(lags="2", horizon=2)
    )
    assert [c.name for c in made.columns] == ["y 2 before"]
    assert made.forecast is not None
    assert made.forecast.horizon == 2
    assert made.forecast.word == "step of 1"


def test_guides_are_told() -> None:
    contents = Contents(FRAME, "data", "")
    assert guides_note("id", "t", contents) == ["'id' and 't' guides the split and is no input of the model."]
    assert guides_note(None, "year+month", contents) == [
        "The moment year+month guides the split; its columns are inputs as they are."
    ]
    assert guides_note(None, None, contents) == []
