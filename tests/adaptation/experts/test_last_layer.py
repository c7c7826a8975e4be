import numpy as np
import pytest

from temperance.adaptation.experts.last_layer import LastLayer
from temperance.adaptation.traffic import Setting
from temperance.records.errors import SettingError


def test_it_learns_a_relation_that_turned_round(classes) -> None:
    one, state = LastLayer(), LastLayer().begin(classes.setting)
    traffic, truth = classes.draw(600, turn=-1.0)
    for _ in range(10):
        state = one.learn(state, (traffic, truth), (traffic, truth))
    fresh, y = classes.draw(2000, turn=-1.0)
    assert (fresh.answers.argmax(axis=1) == y).mean() < 0.3
    assert (one.apply(state, fresh).argmax(axis=1) == y).mean() > 0.75


def test_values_follow_the_inputs(values) -> None:
    one = LastLayer(penalty=0.1)
    traffic, truth = values.draw(400)
    state = one.learn(one.begin(values.setting), (traffic, truth), (traffic, truth))
    fresh, y = values.draw(500)
    assert np.sqrt(((one.apply(state, fresh) - y) ** 2).mean()) < 0.2


def test_few_labels_change_nothing(classes) -> None:
    one, state = LastLayer(), LastLayer().begin(classes.setting)
    traffic, truth = classes.draw(29)
    assert one.learn(state, (traffic, truth), (traffic, truth)) is state
    assert one.apply(state, traffic) is traffic.answers


def test_the_trust_region_holds(classes) -> None:
    one = LastLayer(reach=0.1)
    traffic, truth = classes.draw(600, turn=-1.0)
    state = one.learn(one.begin(classes.setting), (traffic, truth), (traffic, truth))
    assert np.linalg.norm(state["matrix"]) <= 0.1 + 1e-12


def test_without_inputs_it_has_no_ground() -> None:
    assert LastLayer().begin(Setting(2)) is None
    with pytest.raises(SettingError, match="horizon"):
        LastLayer(horizon=3)
