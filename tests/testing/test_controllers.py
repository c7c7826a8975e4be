"""The suite of controllers must find planted faults."""

from dataclasses import dataclass

import numpy as np
import pytest

from temperance.control.base import Controller
from temperance.testing.controllers import ControllerSuite


@dataclass(frozen=True, repr=False)
class Steady(Controller):
    """Move dropout by the gap."""

    signal: str = "gap"

    @property
    def reads(self):
        return frozenset({"gap"})

    def move(self, strengths, signals, memory, specs):
        gap = np.nan_to_num(np.asarray(signals.get("gap", 0.0)), posinf=0, neginf=0)
        return {"dropout.p": strengths["dropout.p"] + 0.01 * gap}, memory


class Counts(Steady):
    def move(self, strengths, signals, memory, specs):
        object.__setattr__(self, "seen", getattr(self, "seen", 0) + 1)
        return {"dropout.p": strengths["dropout.p"] + 0.001 * self.seen}, memory


class Peeks(Steady):
    def move(self, strengths, signals, memory, specs):
        return {"dropout.p": strengths["dropout.p"] + 0.01 * np.asarray(signals.get("valid_loss", 0.0))}, memory


class Grabs(Steady):
    def move(self, strengths, signals, memory, specs):
        return {"fixed.s": strengths["fixed.s"] * 0.5}, memory


SUITE = ControllerSuite()


def test_a_sound_rule_passes():
    SUITE.test_bounded(Steady(), (3,))
    SUITE.test_pure(Steady(), ())
    SUITE.test_members(Steady())
    SUITE.test_reads(Steady())
    assert SUITE.elementwise


@pytest.mark.parametrize(
    "run",
    [
        lambda: SUITE.test_twice(Counts(), ()),
        lambda: SUITE.test_resume(Counts(), ()),
        lambda: SUITE.test_dead_signals_hold(Counts(), (), None),
        lambda: SUITE.test_reads(Peeks()),
        lambda: SUITE.test_only_adaptive_strengths_move(Grabs()),
    ],
)
def test_planted_faults_are_found(run):
    with pytest.raises(AssertionError):
        run()
