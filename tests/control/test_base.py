import math
from dataclasses import dataclass

import numpy as np
import pytest

from temperance.control import (
    Chain,
    Controller,
    GapFeedback,
    Linear,
    Move,
    Only,
    Spectral,
    StopAbove,
    Strength,
)
from temperance.control.base import require, shape_of
from temperance.records.errors import RecipeError, SettingError

SPECS = {"a.p": Strength(0.5, low=0.0, high=1.0, neutral=0.0)}


@dataclass(frozen=True, repr=False)
class Wild(Controller):
    """Propose whatever it is told: what a careless author may write."""

    proposal: float = 0.0

    @property
    def reads(self):
        return frozenset()

    def move(self, strengths, signals, memory, specs):
        strengths["a.p"][...] = 7.0
        return {"a.p": np.asarray(signals.get("x", self.proposal)), "ghost.p": np.array(1.0)}, {}


@pytest.mark.parametrize(("proposal", "expected"), [(3.0, 1.0), (-3.0, 0.0), (math.nan, 0.5), (math.inf, 0.5)])
def test_steer_guards_any_rule(proposal, expected):
    values = {"a.p": np.array(0.5)}
    after, _ = Wild(proposal).steer(values, {}, {}, SPECS)
    assert {a: float(v) for a, v in after.items()} == {"a.p": expected}
    assert float(values["a.p"]) == 0.5


def test_shapes_never_change():
    with pytest.raises(SettingError, match="proposed shape"):
        Wild().steer({"a.p": np.array(0.5)}, {"x": np.array([0.1, 0.2])}, {}, SPECS)
    with pytest.raises(SettingError, match="shapes"):
        shape_of({"a": np.zeros(2), "b": np.zeros(3)})


def test_unknown_controllers_and_settings_are_refused():
    with pytest.raises(SettingError, match=r"Did you mean 'GapFeedback'\?"):
        Controller.from_dict({"name": "GapFedback"})
    with pytest.raises(SettingError, match="gain"):
        Controller.from_dict({"name": "GapFeedback", "gain": 1.0})


def test_numpy_settings_print_and_store_as_plain_numbers():
    rule = Only(GapFeedback(np.float64(0.1), kp=np.float32(2.0)), "a.p")
    assert repr(rule) == "Only(inner=GapFeedback(target=0.1, kp=2.0), at=('a.p',))"
    assert type(rule.to_dict()["inner"]["target"]) is float
    assert rule.to_dict()["at"] == ["a.p"]


def test_move_round_trip_with_unknown_error():
    move = Move(3, 0.5, "a.p", "progress", math.nan, 0.2, False, "schedule", 1)
    row = move.to_dict()
    assert row["error"] is None
    assert Move.from_dict({**row, "later": 1}).to_dict() == row


def test_equal_rules_are_one_key():
    assert len({Linear(), Linear(0.0, 1.0), Linear(0.0, 0.5)}) == 2


def test_require_names_everything():
    with pytest.raises(SettingError, match=r"X got n=1.5\. n must be a whole number between 0 and 3"):
        require("X", "n", 1.5, 0, 3, whole=True)


def test_a_rule_says_what_it_waits_for_and_is_refused_where_nobody_gives_it():
    known = frozenset({"gap", "epoch", "tail_exponent/dropout.p"})
    both = Chain((Only(GapFeedback(), "dropout.p"), StopAbove(signal="evidence")))
    assert [type(rule).__name__ for rule in both.rules()] == ["GapFeedback", "StopAbove"]
    assert GapFeedback().awaits == {"gap"}
    strengths = {"dropout.p": np.array(0.1)}
    specs = {"dropout.p": Strength(0.1, low=0.0, high=0.9, neutral=0.0)}
    Only(GapFeedback(), "dropout.p").check(strengths, specs, known)
    with pytest.raises(RecipeError, match="StopAbove reads 'evidence', which nothing measures"):
        both.check(strengths, specs, known)
    with pytest.raises(RecipeError, match="found 1 strengths"):
        Spectral().check(strengths, specs, known)


def test_a_line_tells_old_value_epoch_error_bar_and_what_is_left_at_the_limit():
    rule = GapFeedback(0.0, noise=0.0, rate=1.0, ki=5.0, warmup=False)
    specs = {"dropout.p": Strength(0.1, low=0.0, high=0.9, neutral=0.0)}
    values, lines = {"dropout.p": np.array(0.1)}, []
    memory = rule.begin(values, specs)
    for epoch in range(1, 5):
        signals = {"gap": 0.19, "gap_error": 0.02, "epoch": float(epoch)}
        after, memory = rule.steer(values, signals, memory, specs)
        lines += rule.explain(values, after, signals, memory, specs)
        values = after
    limit = [line for line in lines if "at its limit, the gap is still 0.19" in line.reason]
    assert len(limit) == 1
    assert (lines[0].old, lines[0].epoch, lines[0].spread) == (0.1, 1.0, 0.02)
    assert Move.from_dict(lines[0].to_dict()) == lines[0]
