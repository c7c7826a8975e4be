"""Recipes that a user brings become trials: of the kind of the net, with the settings that fit."""

from temperance.study.spec import TrialSpec
from temperance.study.starts import start_specs

SETTINGS = {"epochs": 10.0, "batch_size": 64, "lr": 0.03}
ONE = {"name": "mine", "recipe": {"regularizers": [{"name": "Dropout", "p": 0.1}]}, "settings": {"lr": 1, "epochs": 99}}
MOVED = {"name": "moved", "recipe": {**ONE["recipe"], "controller": {"name": "Curriculum"}}}
TWO = {"name": "two", "recipe": {"regularizers": [{"name": "Dropout", "p": 0.1}, {"name": "EMA"}]}}


def test_each_start_is_a_trial_like_the_others():
    like = TrialSpec("", "folded run", "folded", "Tabular", {"regularizers": []}, SETTINGS, seed=3, slots=({}, {}))
    found = start_specs([ONE, MOVED, TWO, ONE], like, SETTINGS)
    assert [spec.name for spec in found] == ["mine", "moved", "two"]
    assert [spec.kind for spec in found] == ["folded", "single", "folded"]
    assert [spec.adaptive for spec in found] == [False, True, False]
    assert found[0].settings == {"epochs": 10.0, "batch_size": 64, "lr": 1.0}
    assert all(spec.slots == () and spec.seed == 3 for spec in found)
    assert start_specs([TWO], like.changed(kind="plain", model="user"), SETTINGS)[0].kind == "cocktail"
