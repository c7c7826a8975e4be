"""From arrays and frames to tables."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.base import BaseEstimator

from temperance.estimators.inputs import check_inputs, given, rows_of


def test_order_leads_from_sorted_classes_to_the_tables_classes(data: SimpleNamespace) -> None:
    labels = np.where(data.X[:, 0] > 0, "9", "10")
    found = given(BaseEstimator(), data.X, labels, task="classification")
    assert found.classes.tolist() == ["10", "9"]
    assert [found.table.schema.target.classes[i] for i in found.order] == ["10", "9"]


def test_labels_that_read_as_missing_are_numbered(data: SimpleNamespace) -> None:
    labels = np.where(data.X[:, 0] > 0, "", "b")
    found = given(BaseEstimator(), data.X, labels, task="classification")
    assert len(found.table) == 160
    assert found.classes.tolist() == ["", "b"]
    assert found.table.schema.target.classes == ("class 0", "class 1")


def test_columns_without_values_are_left_out_of_rows(data: SimpleNamespace) -> None:
    X = data.X.copy()
    X[:, 1] = np.nan
    found = given(BaseEstimator(), X, data.values, task="regression")
    rows = rows_of(data.X, found.table.schema)
    assert np.array_equal(rows.numeric, data.X[:, [0, 2]])
    assert rows.categorical.shape == (160, 0)


def test_frames_give_codes(data: SimpleNamespace) -> None:
    found = given(BaseEstimator(), data.frame, data.values, task="regression")
    rows = rows_of(data.frame, found.table.schema)
    assert np.array_equal(rows.categorical, found.table.rows.categorical)
    assert rows.numeric.shape == (160, 2)


@pytest.mark.parametrize(
    ("X", "y", "words"),
    [
        (np.zeros((5, 2)), None, "requires y"),
        (np.zeros((5, 2)), np.zeros(4), "inconsistent"),
        (np.full((5, 2), np.inf), np.zeros(5), "infinity"),
        (np.zeros((5, 2)), np.array([1.0, 2, np.nan, 1, 2]), "NaN"),
    ],
)
def test_what_does_not_fit_is_refused(X: np.ndarray, y: np.ndarray, words: str) -> None:
    for task in ("classification", "regression"):
        with pytest.raises(ValueError, match=words):
            given(BaseEstimator(), X, y, task=task)


def test_feature_count_is_noted_and_checked(data: SimpleNamespace) -> None:
    estimator = BaseEstimator()
    check_inputs(estimator, data.X, reset=True)
    assert estimator.n_features_in_ == 3
    with pytest.raises(ValueError, match="2 features"):
        check_inputs(estimator, data.X[:, :2], reset=False)
