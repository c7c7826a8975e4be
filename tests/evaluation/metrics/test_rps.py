import numpy as np
import pytest

from temperance.evaluation.base import Outcome
from temperance.evaluation.metrics.rps import Rps

CHANCES = np.array([[0.9, 0.05, 0.05], [0.2, 0.7, 0.1], [0.8, 0.1, 0.1]])
SEEN = Outcome(CHANCES, np.array([0, 2, 2]), "multiclass", ordered=True)


def test_it_is_the_squared_distance_of_the_cumulated_chances():
    found = Rps().contributions(SEEN)
    assert found[0] == pytest.approx((0.1**2 + 0.05**2) / 2)
    assert found[2] == pytest.approx((0.8**2 + 0.9**2) / 2)
    assert found[0] < found[1] < found[2]


def test_it_needs_levels():
    assert Rps().applies(SEEN)
    assert not Rps().applies(Outcome(CHANCES, np.array([0, 2, 2]), "multiclass"))
