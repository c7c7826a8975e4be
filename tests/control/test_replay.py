"""A replay gives each strength the value that it had at the same fraction of an earlier run."""

import math

import numpy as np
import pytest

from temperance.control.base import Controller, Move
from temperance.control.replay import Replay, from_traces
from temperance.control.strength import Strength

SPECS = {"dropout.p": Strength(0.1, low=0.0, high=0.9, neutral=0.0)}


def move(fraction, value, strength="dropout.p"):
    return Move(0, fraction, strength, "gap", 0.0, value, False, "")


def at(controller, fraction, start=0.1):
    values, _ = controller.steer({"dropout.p": np.array(start)}, {"progress": fraction}, {}, SPECS)
    return float(values["dropout.p"])


def test_one_trace_is_followed_exactly():
    replay = from_traces([[move(0.25, 0.3), move(0.5, 0.6)]])
    assert [at(replay, f) for f in (0.0, 0.24, 0.25, 0.4, 0.5, 1.0)] == [0.1, 0.1, 0.3, 0.3, 0.6, 0.6]


def test_several_traces_are_averaged_by_fraction():
    replay = from_traces([[move(0.0, 0.2)], [move(0.0, 0.4), move(0.5, 0.6)]])
    assert at(replay, 0.2) == pytest.approx(0.3)
    assert at(replay, 0.9) == pytest.approx(0.4)


def test_stops_and_unknown_fractions_are_left_out():
    replay = from_traces([[move(math.nan, 0.9), move(0.5, 1.0, "training"), move(0.5, 0.4)]])
    assert [path[0] for path in replay.paths] == ["dropout.p"]
    assert at(replay, 0.6) == 0.4


def test_unknown_progress_holds_the_value_and_it_is_a_value():
    replay = Replay((("dropout.p", (0.0,), (0.5,)),))
    assert at(replay, math.nan, start=0.2) == 0.2
    assert Controller.from_dict(replay.to_dict()) == replay == eval(repr(replay), {"Replay": Replay})
    assert from_traces([]) == Replay()
