import numpy as np
import pytest

from temperance.evaluation.base import Outcome
from temperance.evaluation.prior_shift import prior_shift
from temperance.records.errors import SettingError


def outcome(groups=None):
    y = np.repeat([0, 1], [80, 20])
    said = y.copy()
    said[:8], said[80:90] = 1, 0  # right for 90 % of the first and 50 % of the second
    return Outcome(np.eye(2)[said], y, "binary", groups=groups)


def test_by_hand():
    found = prior_shift(outcome(), ("no", "yes"), factors=(1.0, 4.0))
    assert [m.name for m in found] == ["prior_shift/yes/1", "prior_shift/yes/4"]
    assert found[0].value == pytest.approx(0.82)
    assert found[1].value == pytest.approx(0.5 * 0.9 + 0.5 * 0.5)
    assert all(m.low < m.value < m.high for m in found)
    assert (found[1].high - found[1].low) > (found[0].high - found[0].low)


def test_one_class_says_nothing_and_groups_widen():
    lone = Outcome(np.eye(2)[np.zeros(30, int)], np.zeros(30, np.int64), "binary")
    assert prior_shift(lone, ("a", "b")) == []
    wide = prior_shift(outcome(np.arange(100) // 10), ("no", "yes"), factors=(2.0,))[0]
    assert wide.high - wide.low > 0
    with pytest.raises(SettingError, match="above 0"):
        prior_shift(outcome(), ("no", "yes"), factors=(0.0,))
