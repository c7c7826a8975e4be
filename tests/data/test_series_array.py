from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from temperance.data import read, split
from temperance.data.series_array import channels_of, look_like_moments, series_array, shapes_note
from temperance.records.errors import DataError


def walks(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).normal(size=shape).cumsum(axis=-1).astype(np.float32)


Y = np.array(["a", "b"] * 10)


def test_two_and_three_axes() -> None:
    flat, said = series_array(walks(5, 30))
    assert flat.shape == (5, 1, 30)
    assert said == ()
    cube, said = series_array(walks(5, 3, 30))
    assert cube.shape == (5, 3, 30)
    assert said == ()


def test_the_longer_axis_is_time_and_both_readings_are_said() -> None:
    given = np.swapaxes(walks(5, 3, 30), 1, 2)
    cube, (said,) = series_array(given)
    assert np.array_equal(cube, walks(5, 3, 30))
    assert "3 channels of 30 moments" in said
    assert "30 channels of 3 moments" in said


def test_a_model_knows_its_channels() -> None:
    assert series_array(walks(5, 8, 4), channels=8)[0].shape == (5, 8, 4)
    assert series_array(walks(5, 4, 8), channels=8)[0].shape == (5, 8, 4)
    with pytest.raises(DataError, match=r"Series of 4 channels .* trained on 2"):
        series_array(walks(5, 4, 8), channels=2)


@pytest.mark.parametrize("given", [np.array([["a", "b"]]), np.zeros((2, 3, 4, 5)), np.zeros((0, 3))])
def test_what_is_no_series_is_refused(given: np.ndarray) -> None:
    with pytest.raises(DataError, match="Numbers"):
        series_array(given)


def test_infinite_values_are_missing_and_told() -> None:
    series = walks(4, 10)
    series[0, 3], series[1, 7:], series[2] = np.inf, np.nan, np.nan
    made, _ = series_array(series)
    assert shapes_note(made) == (
        "4 series of 0 to 10 moments; 1 values inside them are missing and are bridged by a straight line; "
        "1 series hold no value at all."
    )
    assert [c.name for c in channels_of(1)] == ["series"]
    assert len(channels_of(3)) == 3


def test_columns_that_may_be_moments_are_told_and_stay_columns() -> None:
    reading = read((walks(20, 40), Y))
    assert len(reading.table.schema.numeric) == 40
    assert any("may be moments of one series" in note for note in reading.notes)
    assert not look_like_moments(np.random.default_rng(0).normal(size=(20, 40)))


@pytest.mark.parametrize("name", ["X", "series"])
def test_npz(tmp_path: Path, name: str) -> None:
    path = tmp_path / "waves.npz"
    series = walks(20, 24) if name == "series" else walks(20, 1, 24)
    np.savez(path, **{f"{name}_train": series, "y_train": Y, f"{name}_test": series[:6], "y_test": Y[:6]})
    reading = read(path)
    assert reading.table.rows.series.shape == (20, 1, 24)
    assert "20 series of 24 moments." in reading.notes
    later = read(path, schema=reading.table.schema, target="y")
    assert later.table.rows.series.shape == (6, 1, 24)


def test_a_table_for_a_model_of_series_is_refused() -> None:
    schema = read((walks(20, 2, 24), Y)).table.schema
    with pytest.raises(DataError):
        read({"a": [1.0, 2.0]}, schema=schema)


def test_copies_are_rows_with_the_same_series_not_with_the_same_answer() -> None:
    table = read((walks(20, 1, 24), Y)).table
    assert "copies" not in split(table, seed=0).scheme
