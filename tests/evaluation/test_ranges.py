import numpy as np
import pytest

from temperance.evaluation.base import Outcome
from temperance.evaluation.ranges import ranged


def test_coverage_is_of_the_rows_inside_and_by_part_of_the_prediction():
    values = np.arange(100.0)
    truth = np.where(values < 20, values + 5, values)  # the smallest fifth lies above its ranges
    found = ranged(Outcome(values, truth, "regression", low=values - 1, high=values + 1, coverage=0.8))
    assert found["coverage"]["value"] == pytest.approx(0.8)
    assert (found["above"], found["below"], found["width"]) == (pytest.approx(0.2), 0.0, pytest.approx(2.0))
    assert [part["coverage"]["value"] for part in found["parts"]] == [0.0, 1.0, 1.0, 1.0, 1.0]
    assert found["parts"][0]["coverage"]["high"] < 0.8
    assert found["promised"] == 0.8


def test_few_rows_have_no_parts_and_no_ranges_have_nothing():
    values = np.arange(10.0)
    assert ranged(Outcome(values, values, "regression", low=values, high=values))["parts"] == []
    assert ranged(Outcome(values, values, "regression")) is None
