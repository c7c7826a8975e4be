import numpy as np

from temperance.control import EarlyStopping, Every, Hypergradient, Linear, Strength
from temperance.control.wrapper import held, measured, wrapped

SPECS = {"a.p": Strength(0.4, low=0.0, high=1.0, neutral=0.0)}


def test_measured_knows_absent_and_per_address_signals():
    assert measured(Linear(), {"progress": 0.5})
    assert not measured(Linear(), {"progress": float("nan")})
    assert not measured(EarlyStopping(), {"progress": 0.5})
    assert measured(Hypergradient(), {"hypergradient/a.p": 1.0})


def test_flags_are_lifted_and_cleared_where_the_rule_did_not_run():
    memory = wrapped({"keep": np.array(True), "own": np.array(1)})
    assert set(memory) == {"inner/keep", "inner/own", "keep"}
    assert not held(memory)["keep"]
    assert held({"source": np.array([1, 1])})["source"].tolist() == [0, 1]


def test_stop_comes_through():
    rule, values = Every(EarlyStopping(1)), {"a.p": np.array(0.4)}
    memory = rule.begin(values, SPECS)
    for loss in (1.0, 2.0):
        _, memory = rule.steer(values, {"valid_loss": loss}, memory, SPECS)
    assert memory["stop"]
