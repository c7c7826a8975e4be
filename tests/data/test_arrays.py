from __future__ import annotations

import datetime as dt

import narwhals as nw
import numpy as np
import polars as pl
import pytest

from temperance import data
from temperance.records.errors import DataError


def test_arrays_keep_every_column() -> None:
    X = np.column_stack([np.arange(40.0), np.ones(40), np.random.default_rng(0).normal(size=40)])
    table = data.read((X, np.arange(40) % 2)).table
    np.testing.assert_array_equal(table.rows.numeric, X)


def test_lists_mappings_objects_and_dates() -> None:
    stamps = np.datetime64("2024-01-01") + np.arange(30)
    reading = data.read(
        {"a": [1.5, None, 2] * 10, "b": ["x", None, "y"] * 10, "t": stamps, "y": [0, 1, 1] * 10}, target="y"
    )
    schema = reading.table.schema
    assert [c.name for c in schema.numeric][:2] == ["a", "t"]
    assert [c.name for c in schema.categorical] == ["b"]
    mixed = np.array([[1, "a"], [2, "b"], [3, None]] * 10, dtype=object)
    assert len(data.read((mixed, [0, 1, 0] * 10)).table.schema.columns) == 2


@pytest.mark.parametrize(
    ("X", "y", "why"),
    [
        (np.ones((3, 2)), np.arange(4), "3 rows and y has 4"),
        (np.ones((0, 2)), np.arange(0), "no rows"),
        (np.ones((3, 2)), np.ones((3, 2)), "shape"),
        (np.array([[1j], [2]], dtype=object), [0, 1], "complex"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(X: np.ndarray, y: np.ndarray, why: str) -> None:
    with pytest.raises(DataError, match=why):
        data.read((X, y))


def test_float_images_are_scaled_and_channels_may_come_first() -> None:
    pixels = np.random.default_rng(0).random((20, 3, 8, 8))
    table = data.read((pixels, np.arange(20) % 2)).table
    assert table.schema.image_shape == (8, 8, 3)
    series = np.random.default_rng(0).normal(size=(20, 2, 5))
    assert [c.kind for c in data.read((series, np.arange(20) % 2)).table.schema.columns] == ["series"] * 2


def test_frames_of_other_makers_come_through_narwhals() -> None:
    frame = pl.DataFrame(
        {
            "a": [1, None, 3, 4] * 10,
            "b": ["x", "y", None, "z"] * 10,
            "d": pl.date_range(dt.date(2024, 1, 1), dt.date(2024, 2, 9), eager=True),
            "f": [True, False] * 20,
            "y": [0, 1] * 20,
        }
    )
    direct = data.read(frame, target="y").table
    through = data.read(nw.from_native(frame), target="y").table
    assert through.schema == direct.schema
    np.testing.assert_array_equal(through.rows.numeric, direct.rows.numeric)
    np.testing.assert_array_equal(through.rows.categorical, direct.rows.categorical)
    pair = data.read((nw.from_native(frame.drop("y")), nw.from_native(frame.select("y")))).table
    assert pair.schema.target.name == "y"


def test_duplicate_names_of_a_frame_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def twice(*_: object, **__: object) -> None:
        raise nw.exceptions.DuplicateError("a")

    monkeypatch.setattr(nw, "from_native", twice)
    with pytest.raises(DataError, match="duplicate"):
        data.read(np.ones((3, 2)), target="y")
