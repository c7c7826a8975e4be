"""What a session tells without changing: its log, whether it is open, whether it needs held-out rows."""

import json

import pytest

from temperance import EMA, Dropout, GapFeedback, GreedySoup, Recipe
from temperance.testing.problems import PROBLEMS
from temperance.testing.training import attach

MLP = PROBLEMS["mlp"]


def test_the_log_is_flat_finite_and_of_the_last_step():
    session = attach(Recipe(Dropout(0.2), controller=GapFeedback()), MLP)
    assert session.log() == {"step": 0.0, "strength/dropout.p": 0.2, "seconds/gap": 0.0} | {
        name: 0.0 for name in session.log() if name.startswith("seconds/")
    }
    passed = session.step(MLP.batch(0))
    session.validate([MLP.batch(1)])
    told = session.log()
    assert told["loss"] == pytest.approx(passed.loss.item())
    assert told["step"] == 1.0
    assert {"signal/gap", "signal/valid_loss", "strength/dropout.p"} <= set(told)
    assert all(type(v) is float for v in told.values())
    assert json.loads(json.dumps(told, allow_nan=False)) == told


def test_whether_it_is_open_and_serves():
    session = attach(Recipe(EMA(0.9)), MLP)
    session.step(MLP.batch(0))
    assert session.is_open
    assert not session.is_serving
    with session.served_weights():
        assert session.is_open
        assert session.is_serving
    session.finish()
    assert not session.is_open


def test_whether_held_out_rows_are_needed():
    assert not attach(Recipe(Dropout(0.1), controller=GapFeedback()), MLP).wants_rows
    assert attach(Recipe(GreedySoup()), MLP).wants_rows
