import numpy as np
import pytest

from temperance.estimators.pricing import prices_of
from temperance.records.decision import Costs
from temperance.records.errors import SettingError

LABELS, NAMES = np.array([0, 1]), ("class 0", "class 1")


@pytest.mark.parametrize("costs", ["1->0=10", {(1, 0): 10}, {("1", "0"): 10}, [[0, 1], [10, 0]], {(1, "*"): 10}])
def test_every_form_says_the_same(costs):
    assert Costs.of(prices_of(costs, LABELS, NAMES), NAMES).matrix == ((0.0, 1.0), (10.0, 0.0))


def test_no_costs_are_no_prices():
    assert prices_of(None, LABELS, NAMES) == ()


@pytest.mark.parametrize(
    ("costs", "words"),
    [({1: 10}, "no pairs"), ({(2, 0): 1}, "classes are 0, 1"), ([[0, 1, 2]], "costs of shape"), ("1-0=3", "TRUE->")],
)
def test_what_cannot_be_meant_is_refused(costs, words):
    with pytest.raises(SettingError, match=words):
        prices_of(costs, LABELS, NAMES)
