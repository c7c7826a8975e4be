import numpy as np
import torch

from temperance.core.leaves import Leaves
from temperance.core.state import TrainState, plain, rich


def test_strengths_as_controllers_take_them():
    strengths = {"dropout": {"p": torch.tensor([0.1, 0.2])}}
    state = TrainState({}, {}, strengths, {}, {}, {}, 0, (0, 1))
    values = state.values
    assert list(values) == ["dropout.p"]
    np.testing.assert_allclose(values["dropout.p"], [0.1, 0.2], rtol=1e-7)
    assert values["dropout.p"].dtype == np.float64


def test_leaves_become_dicts_and_come_back():
    memory = {"shadow": Leaves.of({"w": torch.ones(2)}), "count": torch.zeros(())}
    flat = plain(memory)
    assert isinstance(flat["shadow"], dict)
    back = rich(flat)
    assert isinstance(back["shadow"], Leaves)
    assert torch.equal(back["shadow"]["w"], torch.ones(2))
    assert back["count"] is memory["count"]
