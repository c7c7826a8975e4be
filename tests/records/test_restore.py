"""What files hold becomes frozen values again: results are read leniently, settings are not."""

from dataclasses import dataclass

import pytest

from temperance.control.strength import Strength
from temperance.records.cost import TrialCost
from temperance.records.errors import SettingError
from temperance.records.restore import Restored, known, settings
from temperance.study.spec import TrialSpec
from temperance.training.settings import TrainSettings


@dataclass(frozen=True)
class Pair(Restored):
    first: int
    second: int = 2


def test_a_newer_file_may_hold_more() -> None:
    assert Pair.from_dict({"first": 1, "third": 3}) == Pair(1)
    assert known(Pair, {"second": 5, "third": 3}) == {"second": 5}


def test_settings_that_nobody_knows_are_refused_by_name() -> None:
    assert settings(Pair, {"name": "Pair", "first": 1}) == {"first": 1}
    with pytest.raises(SettingError, match=r"Pair got the settings \['third'\].*'first', 'second'"):
        settings(Pair, {"name": "Pair", "first": 1, "third": 3})


@pytest.mark.parametrize(
    "one",
    [
        Strength(0.1, low=0.0, high=1.0, neutral=0.0),
        TrialCost(seconds=2.0),
        TrainSettings(),
        TrialSpec("1", "net", "plain", "tabular", slots=({},)),
    ],
    ids=lambda one: type(one).__name__,
)  # fmt: skip
def test_there_and_back(one: Restored) -> None:
    assert type(one).from_dict({**one.to_dict(), "of_a_newer_version": 1}) == one  # type: ignore[attr-defined]
