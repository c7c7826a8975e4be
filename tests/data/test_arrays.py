from __future__ import annotations

import numpy as np
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
    assert len(data.read((series, np.arange(20) % 2)).table.schema.columns) == 10
