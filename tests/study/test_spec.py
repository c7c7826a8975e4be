"""A trial's description is a value."""

from temperance.study.spec import TrialSpec


def test_round_trip_and_unknown_keys():
    spec = TrialSpec("t001", "plain net", "plain", "Tabular", {"regularizers": []}, {"epochs": 2.0}, seed=3)
    assert TrialSpec.from_dict({**spec.to_dict(), "newer": 1}) == spec
    assert spec.changed(seed=4).seed == 4


def test_only_nets_are_nets():
    assert TrialSpec("", "", "plain", "Tabular").is_net
    assert not TrialSpec("", "", "basic", "Linear").is_net
    assert not TrialSpec("", "", "ensemble", "ensemble").is_net
