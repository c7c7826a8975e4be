import numpy as np

from temperance.adaptation.adapters.label_shift import LabelShift
from temperance.adaptation.experts.shares import Shares
from temperance.adaptation.traffic import Setting, Traffic


def test_it_is_label_shift_among_the_experts(world) -> None:
    one = Shares()
    state = one.begin(Setting.of(world.reference))
    assert state is not None
    traffic = Traffic(world.model(world.draw(world.labels(600, 0.9, seed=3), seed=4)))
    moved, by_hand = one.adapt(state, traffic), LabelShift()
    expected = by_hand.adapt(by_hand.begin(world.reference), traffic.answers)
    assert all(np.array_equal(moved[k], expected[k]) for k in expected)
    assert np.array_equal(one.apply(moved, traffic), by_hand.apply(expected, traffic.answers))


def test_it_has_no_ground_without_classes() -> None:
    assert Shares().begin(Setting(0)) is None
    lone = {"sample": np.tile([0.5, 0.5], (30, 1)), "sample_target": np.zeros(30, dtype=np.int64)}
    assert Shares().begin(Setting.of(lone)) is None
