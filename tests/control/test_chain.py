import numpy as np
import pytest

from temperance.control import Chain, GapFeedback, Linear, Only, Strength

SPECS = {"a.p": Strength(0.5, low=0.0, high=1.0, neutral=0.0), "b.p": Strength(0.5, low=0.0, high=1.0, neutral=0.0)}


def test_each_part_moves_its_own_and_explains_it():
    rule = Chain((Only(Linear(), "a.p"), Only(GapFeedback(ki=0.1, kp=0.0, noise=0.0), "b.p")))
    values = {a: np.array(0.5) for a in SPECS}
    memory = rule.begin(values, SPECS)
    signals = {"progress": 0.5, "gap": 1.0, "epoch": 1.0, "lr": 1.0}
    after, memory = rule.steer(values, signals, memory, SPECS)
    assert {a: float(v) for a, v in after.items()} == {"a.p": 0.25, "b.p": pytest.approx(0.55)}
    moves = rule.explain(values, after, signals, memory, SPECS)
    assert [(m.strength, m.signal) for m in moves] == [("a.p", "progress"), ("b.p", "gap")]
    assert rule.reads == {"progress", "gap", "gap_error", "epoch", "lr"}


def test_later_parts_see_what_earlier_ones_did():
    rule = Chain((Linear(), Linear(1.0, 0.0)))
    values = {a: np.array(0.5) for a in SPECS}
    after, _ = rule.steer(values, {"progress": 0.25}, rule.begin(values, SPECS), SPECS)
    assert float(after["a.p"]) == 0.375


def test_an_empty_chain_moves_nothing():
    rule, values = Chain(()), {a: np.array(0.5) for a in SPECS}
    after, memory = rule.steer(values, {"progress": 0.25}, rule.begin(values, SPECS), SPECS)
    assert after == values
    assert memory == {}
