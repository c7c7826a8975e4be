import numpy as np
import pytest

from temperance.control import Chain, Late, Linear, Only, RateLimit, Strength

SPECS = {"a.p": Strength(0.5, low=0.0, high=1.0, neutral=0.0), "b.p": Strength(0.5, low=0.0, high=1.0, neutral=0.0)}


def drive(rule, rows):
    values = {a: np.array(0.5) for a in SPECS}
    memory, path = rule.begin(values, SPECS), []
    for progress, epoch in rows:
        values, memory = rule.steer(values, {"progress": progress, "epoch": epoch}, memory, SPECS)
        path.append({a: float(v) for a, v in values.items()})
    return path


def test_goes_there_in_steps_per_epoch():
    rows = [(0.0, 0), (0.1, 0.5), (0.2, 1), (0.3, 2), (0.9, 3), (1.0, 9)]
    path = [row["a.p"] for row in drive(RateLimit(Late(0.5), 0.2), rows)]
    np.testing.assert_allclose(path, [0.3, 0.3, 0.1, 0.0, 0.2, 0.4], atol=1e-12)


def test_others_may_move_what_the_inner_rule_does_not():
    rule = Chain((Only(Linear(), "b.p"), RateLimit(Only(Linear(0.0, 2.0), "a.p"), 1.0)))
    last = drive(rule, [(0.2, 0), (0.4, 1)])[-1]
    assert last == {"a.p": pytest.approx(0.4), "b.p": pytest.approx(0.2)}
