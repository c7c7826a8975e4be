from typing import ClassVar

import numpy as np
import pytest

from temperance.adaptation.experts import load
from temperance.adaptation.experts.base import EXPERTS, Expert
from temperance.adaptation.traffic import Traffic

load()
NAMES = sorted(name for name, _ in EXPERTS.items())


def test_all_experts_are_registered() -> None:
    assert NAMES == ["Alignment", "Bias", "LastLayer", "Members", "Prototypes", "Shares"]


def test_an_expert_that_learns_nothing_keeps_its_state() -> None:
    class Still(Expert):
        kept: ClassVar[dict] = {"a": np.zeros(1)}

        def begin(self, setting):
            return self.kept

        def apply(self, state, traffic):
            return traffic.answers

    traffic, one = Traffic(np.ones((1, 2)) / 2), Still()
    assert one.adapt(Still.kept, traffic) is Still.kept
    assert one.learn(Still.kept, (traffic, np.zeros(1)), (traffic, np.zeros(1))) is Still.kept


@pytest.mark.parametrize("name", [name for name in NAMES if name != "Shares"])
def test_experts_are_pure_and_begin_as_the_source(name: str, classes, values) -> None:
    for world in (classes, values):
        expert = EXPERTS[name]()
        state = expert.begin(world.setting)
        assert state is not None
        before = {k: v.copy() for k, v in state.items()}
        traffic, truth = world.draw(300)
        kept = traffic.answers.copy()
        assert np.allclose(expert.apply(state, traffic), traffic.answers, atol=1e-9)
        expert.learn(state, (traffic, truth), (traffic, truth))
        assert all(np.array_equal(state[k], before[k]) for k in before)
        assert np.array_equal(traffic.answers, kept)
