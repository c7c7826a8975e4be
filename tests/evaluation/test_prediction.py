import numpy as np
import pytest

from temperance.evaluation.prediction import batches, check_index, intervals, observe, predict
from temperance.records.errors import DataError


def test_batches_cover_all_rows_once():
    assert [(b.start, b.stop) for b in batches(10, size=4)] == [(0, 4), (4, 8), (8, 10)]
    assert list(batches(0)) == []


def test_predictions_do_not_depend_on_the_batch(binary):
    table, model = binary
    index = np.arange(100, 900)
    whole = predict(model, table, index)
    assert np.array_equal(whole, predict(model, table, index, batch=37))
    assert max(model.sizes) == 800
    assert model.sizes[1:].count(37) == 21


def test_intervals_are_asked_for_where_they_exist(regression, binary):
    table, model = regression
    low, high = intervals(model, table, np.arange(5))
    assert np.allclose(high - low, 1.645)
    model.half = None
    assert intervals(model, table, np.arange(5)) == (None, None)
    assert intervals(binary[1], binary[0], np.arange(5)) == (None, None)


def test_observe_carries_groups(binary):
    table, model = binary
    o = observe(model, table, np.arange(50))
    assert o.n == 50
    assert o.groups is None


def test_rows_are_checked(binary):
    table, _ = binary
    assert len(check_index(table, None)) == 1000
    assert check_index(table, table.target == 1).tolist() == np.flatnonzero(table.target == 1).tolist()
    with pytest.raises(DataError, match="no rows"):
        check_index(table, np.array([], dtype=int))
    with pytest.raises(DataError, match="0 to 999"):
        check_index(table, np.array([5, 1000]))


def test_a_model_of_other_classes_is_refused(binary, regression):
    with pytest.raises(DataError, match="model's schema"):
        observe(regression[1], binary[0])
