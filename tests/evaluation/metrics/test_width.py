import numpy as np
import pytest

from temperance.evaluation.base import Outcome
from temperance.evaluation.metrics.width import IntervalWidth


def test_mean_width():
    o = Outcome(np.zeros(2), np.zeros(2), "regression", low=np.array([-1.0, 0.0]), high=np.array([1.0, 4.0]))
    assert IntervalWidth().measure(o).value == 3.0


def test_needs_intervals():
    bare = Outcome(np.zeros(2), np.zeros(2), "regression")
    assert not IntervalWidth().applies(bare)
    with pytest.raises(ValueError, match="applies"):
        IntervalWidth().contributions(bare)
