"""Weights, groups and times of rows."""

from __future__ import annotations

import numpy as np
import pytest

from temperance.estimators.beside import guides, row_weights
from temperance.records.errors import DataError

INPUTS = np.zeros((4, 1))
LABELS = np.array(["a", "a", "a", "b"])


def test_weights_of_rows_and_classes_multiply() -> None:
    assert row_weights(INPUTS, LABELS, sample_weight=None, class_weight=None) is None
    rows = row_weights(INPUTS, LABELS, sample_weight=[1, 2, 3, 4], class_weight={"a": 1.0, "b": 10.0})
    assert rows is not None
    assert rows.tolist() == [1, 2, 3, 40]
    balanced = row_weights(INPUTS, LABELS, sample_weight=None, class_weight="balanced")
    assert balanced is not None
    np.testing.assert_allclose(balanced, [4 / 6, 4 / 6, 4 / 6, 2])


@pytest.mark.parametrize("weights", [[1, 2, 3], [1, -1, 1, 1], [np.nan, 1, 1, 1], [[1], [1], [1], [1]]])
def test_weights_that_do_not_fit_are_refused(weights: object) -> None:
    with pytest.raises(ValueError):
        row_weights(INPUTS, LABELS, sample_weight=weights, class_weight=None)


def test_no_weight_at_all_is_refused() -> None:
    with pytest.raises(DataError, match="all 0"):
        row_weights(INPUTS, LABELS, sample_weight=None, class_weight={"a": 0.0, "b": 0.0})


def test_groups_become_codes_and_dates_days() -> None:
    found = guides(3, groups=["x", "y", "x"], time=np.array(["1970-01-02", "1970-01-03T12:00", "1970-01-01"], "M8[m]"))
    assert found["group"].tolist() == [0, 1, 0]
    assert found["time"].tolist() == [1.0, 2.5, 0.0]
    assert guides(3, groups=None, time=[3, 1, 2])["time"].tolist() == [3.0, 1.0, 2.0]
    assert guides(3, groups=None, time=None) == {}


def test_times_that_are_no_times_and_other_lengths_are_refused() -> None:
    with pytest.raises(DataError, match="datetime64"):
        guides(2, groups=None, time=["today", "now"])
    with pytest.raises(DataError, match="missing"):
        guides(2, groups=None, time=[1.0, np.nan])
    with pytest.raises(ValueError):
        guides(2, groups=["x"], time=None)
