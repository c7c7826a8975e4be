import numpy as np
import pytest

from temperance.adaptation.experts.members import Members
from temperance.adaptation.traffic import Setting
from temperance.records.errors import SettingError


def test_the_member_that_knows_best_speaks(classes) -> None:
    one = Members()
    traffic, truth = classes.draw(400)
    state = one.learn(one.begin(classes.setting), (traffic, truth), (traffic, truth))
    assert state["weights"].argmax() == 2
    assert state["weights"].sum() == pytest.approx(1)
    fresh, y = classes.draw(2000)
    right = [(a.argmax(axis=1) == y).mean() for a in (fresh.answers, one.apply(state, fresh))]
    assert right[1] > right[0]


def test_values_are_moved_by_the_members_difference(values) -> None:
    one = Members()
    traffic, truth = values.draw(400)
    state = one.learn(one.begin(values.setting), (traffic, truth), (traffic, truth))
    by_hand = traffic.answers + traffic.members @ (state["weights"] - values.shares)
    assert np.allclose(one.apply(state, traffic), by_hand)
    assert state["weights"].argmax() == 1


def test_weights_by_hand_for_one_label() -> None:
    setting = Setting(2, 0, np.array([0.5, 0.5]))
    from temperance.adaptation.traffic import Traffic

    members = np.array([[[0.2, 0.8], [0.6, 0.4]]])
    traffic = Traffic(members.mean(axis=1), members)
    one = Members(forget=0.1, rate=1.0)
    found = one.learn(one.begin(setting), (traffic, np.array([1])), (traffic, np.array([1])))["weights"]
    assert np.allclose(found, 0.9 * np.array([0.8, 0.4]) / 1.2 + 0.1 * 0.5)


def test_one_member_has_nothing_to_weigh() -> None:
    assert Members().begin(Setting(2, 0, np.array([1.0]))) is None
    assert Members().begin(Setting(2)) is None
    with pytest.raises(SettingError, match="forget"):
        Members(forget=0)
