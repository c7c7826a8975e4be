"""Every registered controller through the shipped suite, and what only the shipped ones must satisfy."""

import doctest
import sys

import pytest

from temperance import control
from temperance.control import (
    Chain,
    Clamp,
    Constant,
    Delay,
    EarlyStopping,
    Every,
    GapFeedback,
    Linear,
    Only,
    RateLimit,
    Steps,
    controllers,
)
from temperance.records.errors import SettingError
from temperance.testing.controllers import ControllerSuite

SETTINGS = {
    "Chain": Chain((Linear(0.5, 2.0), GapFeedback(rate=0.3), EarlyStopping(3))),
    "Clamp": Only(Clamp(GapFeedback(ki=0.5), low=0.05, high=0.3), "dropout.p"),
    "Every": Every(GapFeedback(), 2),
    "Only": Only(GapFeedback(), ("dropout*", "fixed.s")),
    "Delay": Delay(GapFeedback(), 0.2),
    "RateLimit": RateLimit(Linear(), 0.05),
    "Steps": Steps(at=(0.3, 0.6), factors=(0.0, 1.0, 2.0)),
    "Spectral": control.Spectral(dead_band=0.0),
}
WRAPPERS = {"Every", "Only", "Delay", "RateLimit", "Clamp", "Chain"}


def some(names):
    return [pytest.param(SETTINGS[n] if n in SETTINGS else controllers[n](), id=n) for n in sorted(names)]


class TestEvery(ControllerSuite):
    @pytest.fixture(params=some(set(controllers) - {"Only", "PopulationBased"}))
    def controller(self, request):
        return request.param


class TestOnly(ControllerSuite):
    moves_fixed = True

    @pytest.fixture
    def controller(self):
        return SETTINGS["Only"]


class TestPopulationBased(ControllerSuite):
    elementwise = False

    @pytest.fixture
    def controller(self):
        return control.PopulationBased()


def test_examples_in_the_docstrings_run():
    for _, cls in controllers.items():
        module = sys.modules[cls.__module__]
        if module.__name__.startswith("temperance.control"):
            assert doctest.testmod(module).failed == 0


def test_settings_name_every_wrapper():
    assert set(controllers) >= WRAPPERS
    assert set(controllers) >= {"Constant", "GapFeedback", "SignFeedback", "EarlyStopping", "Constraint", "Cosine"}


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: GapFeedback(float("nan")),
        lambda: GapFeedback(nu=1.5),
        lambda: GapFeedback(high=2.0),
        lambda: GapFeedback(reference="worst"),
        lambda: control.SignFeedback(ramp=0.0),
        lambda: EarlyStopping(0),
        lambda: EarlyStopping(2.5),
        lambda: EarlyStopping(better="more"),
        lambda: Every(Constant(), 0),
        lambda: Only(Constant(), ()),
        lambda: Clamp(Constant(), 1.0, 0.0),
        lambda: RateLimit(Constant(), -0.1),
        lambda: Delay(Constant(), float("nan")),
        lambda: Linear(-1.0, 1.0),
        lambda: Steps(at=(0.6, 0.3), factors=(1, 1, 1)),
        lambda: Steps(at=(0.6,), factors=(1,)),
        lambda: control.Early(0.0),
        lambda: control.Early(0.2, "wavy"),
        lambda: control.Curriculum(float("nan")),
        lambda: control.Restarts(cycles=1.5),
        lambda: control.Constraint(kind="about"),
        lambda: control.Hypergradient(-1.0),
        lambda: control.PopulationBased(factors=()),
        lambda: control.Spectral(weak=2.0, strong=1.0),
        lambda: Chain((1,)),
        lambda: Linear("much"),
    ],
)
def test_wrong_settings_are_refused(wrong):
    with pytest.raises(SettingError) as caught:
        wrong()
    assert caught.value.accepted
    assert caught.value.remedy
