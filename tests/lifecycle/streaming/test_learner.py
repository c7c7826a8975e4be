import numpy as np

from temperance.lifecycle.streaming.learner import learn
from temperance.monitoring.reference import check


def test_members_add_up_to_the_answer(table) -> None:
    found = learn(table.take(np.arange(300)), net=False)
    rows = table.rows.take(np.arange(300, 400))
    members, shares = found.members(rows)
    assert members.shape[1] == len(shares)
    assert np.isclose(shares.sum(), 1)
    assert np.allclose(np.einsum("bkc,k->bc", members, shares), found.predict(rows))
    assert (found.predict(rows).argmax(axis=1) == table.target[300:400]).mean() > 0.85
    assert check(found.reference)["rows"] > 200
    assert found.rows == 300


def test_a_net_brings_its_own_members(table) -> None:
    found = learn(table.take(np.arange(240)), net=True)
    members, shares = found.members(table.rows.take(np.arange(10)))
    assert members.shape[:2] == (10, len(shares))
    assert len(shares) >= 2
