"""A trial's description is a value."""

import pytest

from temperance.records.errors import SettingError
from temperance.study.spec import TrialSpec


def test_round_trip_and_unknown_keys():
    spec = TrialSpec("t001", "plain net", "plain", "Tabular", {"regularizers": []}, {"epochs": 2.0}, seed=3)
    assert TrialSpec.from_dict({**spec.to_dict(), "newer": 1}) == spec
    assert spec.changed(seed=4).seed == 4


def test_only_nets_are_nets():
    assert TrialSpec("", "", "plain", "Tabular").is_net
    assert not TrialSpec("", "", "basic", "Linear").is_net
    assert not TrialSpec("", "", "ensemble", "ensemble").is_net


@pytest.mark.parametrize("name", ["../x", "/etc/x", "a/b", "..", "a\0", "a\\b", 7, None])
def test_an_id_stays_in_its_folder(name):
    with pytest.raises(SettingError, match="the id of a trial"):
        TrialSpec.from_dict({"id": name, "name": "", "kind": "basic", "model": "Linear"})
    inner = {"id": name, "name": "", "kind": "basic", "model": "Linear"}
    with pytest.raises(SettingError, match="the id of a trial"):
        TrialSpec("t001", "", "plain", "Tabular", teacher=inner)


def test_what_training_would_import_is_told():
    outside = TrialSpec("t001", "", "basic", "Outside", settings={"origin": "mine:forest"})
    student = TrialSpec("t002", "", "plain", "Tabular", teacher=outside.to_dict())
    assert outside.origins() == student.origins() == ("mine:forest",)
    assert TrialSpec("t003", "", "plain", "Tabular").origins() == ()
