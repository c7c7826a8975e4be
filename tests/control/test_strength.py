import numpy as np
import pytest

from temperance.control.strength import Strength
from temperance.records.errors import SettingError

DROPOUT = Strength(0.1, low=0.0, high=0.95, neutral=0.0)
DECAY = Strength(1e-4, low=1e-6, high=1.0, neutral=0.0, scale="log")
TIMESCALE = Strength(10.0, low=1.0, high=1000.0, neutral=float("inf"), scale="log", stronger="down", unit="epochs")
NORM = Strength(3.0, low=0.5, high=5.0, neutral=float("inf"), stronger="down")
ALL = {"dropout": DROPOUT, "decay": DECAY, "timescale": TIMESCALE, "norm": NORM}


@pytest.mark.parametrize("name", ALL)
def test_pressure_goes_from_neutral_to_strongest_and_only_gets_stronger(name):
    spec = ALL[name]
    values = spec.from_pressure(np.linspace(0, 1, 101))
    assert values[0] == spec.neutral
    assert values[-1] == spec.strongest
    steps = np.diff(values[1:])
    assert np.all(steps > 0 if spec.stronger == "up" else steps < 0)
    assert np.all((values == spec.neutral) | ((values >= spec.low) & (values <= spec.high)))


@pytest.mark.parametrize("name", ALL)
def test_pressure_comes_back(name):
    spec = ALL[name]
    places = np.linspace(0.01, 1, 50)
    np.testing.assert_allclose(spec.to_pressure(spec.from_pressure(places)), places, rtol=1e-9, atol=1e-12)
    assert spec.to_pressure(spec.neutral) == 0.0


def test_hand_computed_positions():
    assert DECAY.to_pressure(1e-3) == pytest.approx(0.5)
    assert DECAY.from_pressure(0.5) == pytest.approx(1e-3)
    assert DROPOUT.to_pressure(0.475) == pytest.approx(0.5)


@pytest.mark.parametrize("value", [float("nan"), -0.1, 0.96, "much", None])
def test_check_names_value_bounds_and_remedy(value):
    with pytest.raises(SettingError) as caught:
        DROPOUT.check("Dropout", "p", value)
    message = str(caught.value)
    assert f"Dropout got p={value!r}" in message
    assert "between 0 and 0.95" in message
    assert "Choose" in message


def test_neutral_is_allowed_outside_the_range():
    assert DECAY.check("WeightDecay", "weight_decay", 0) == 0.0
    assert TIMESCALE.check("WeightDecay", "timescale", float("inf")) == float("inf")
    with pytest.raises(SettingError, match="or be 0"):
        DECAY.check("WeightDecay", "weight_decay", 1e-9)


def test_clip_keeps_neutral_and_nan():
    clipped = DECAY.clip([0.0, 1e-9, 5.0, np.nan])
    np.testing.assert_array_equal(clipped, [0.0, 1e-6, 1.0, np.nan])


@pytest.mark.parametrize("spec", ALL.values(), ids=ALL)
def test_round_trip(spec):
    assert Strength.from_dict(spec.to_dict()) == spec
    assert hash(Strength.from_dict(spec.to_dict())) == hash(spec)
    assert eval(repr(spec), {"Strength": Strength, "inf": float("inf")}) == spec


@pytest.mark.parametrize(
    "bad",
    [
        {"low": 1.0, "high": 0.0},
        {"high": float("inf")},
        {"scale": "cubic"},
        {"stronger": "left"},
        {"scale": "log"},
        {"neutral": float("nan")},
        {"default": 3.0},
    ],
)
def test_bad_declarations_are_refused(bad):
    with pytest.raises(SettingError):
        Strength(**{"default": 0.5, "low": 0.0, "high": 1.0, "neutral": 0.0, **bad})
