import numpy as np

from temperance.control import Constant, Strength


def test_moves_nothing():
    specs, values = {"a.p": Strength(0.5, low=0.0, high=1.0, neutral=0.0)}, {"a.p": np.array(0.5)}
    after, memory = Constant().steer(values, {"gap": 9.0}, Constant().begin(values, specs), specs)
    assert after == values
    assert memory == {}
    assert Constant().explain(values, after, {}, memory, specs) == []
