from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from temperance.records.errors import RequestError
from temperance.records.rows import rows_from_records
from temperance.records.schema import Column, Schema, Target
from temperance.records.series_rows import series_of_records

SCHEMA = Schema(
    (Column("a", "numeric", "a"), Column("x", "series", "x"), Column("z", "series", "z")),
    Target("y", "binary", ("no", "yes")),
)


def test_lists_become_series_padded_to_the_longest() -> None:
    rows = rows_from_records(
        SCHEMA, [{"a": 1, "x": [1, 2.5, None], "z": [4]}, {"a": 2, "x": [], "z": [1e300, 10**400]}]
    )
    assert rows.series is not None
    assert rows.series.shape == (2, 2, 3)
    np.testing.assert_array_equal(
        rows.series, np.array([[[1, 2.5, np.nan], [4, np.nan, np.nan]], [[np.nan] * 3] * 2], dtype=np.float32)
    )


def test_no_record_and_no_value() -> None:
    assert series_of_records(SCHEMA, []).shape == (0, 2, 1)
    assert np.isnan(series_of_records(SCHEMA, [{"x": [], "z": []}])).all()


@pytest.mark.parametrize(
    ("record", "words"),
    [
        ({"x": [1]}, "Row 0 lacks the series 'z'"),
        ({"x": 3, "z": [1]}, "'x' is no list of numbers"),
        ({"x": [1], "z": ["a"]}, "'z' is no list of numbers"),
        ({"x": [True], "z": [1]}, "'x' is no list of numbers"),
        ({"x": [[1]], "z": [1]}, "'x' is no list of numbers"),
    ],
)
def test_faults_are_named(record: dict[str, Any], words: str) -> None:
    with pytest.raises(RequestError, match=words) as caught:
        series_of_records(SCHEMA, [record])
    assert caught.value.status == 422
