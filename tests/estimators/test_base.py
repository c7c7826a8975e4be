"""What both estimators share."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from temperance import Dropout, MixUp, Recipe
from temperance.estimators import TemperanceClassifier, TemperanceRegressor
from temperance.records.errors import SettingError


def test_the_training_is_told_as_in_a_study(data: SimpleNamespace) -> None:
    model = TemperanceClassifier(Recipe(MixUp(0.2), Dropout(0.2)), epochs=3, batch_size=40).fit(data.X, data.labels)
    trial = model.study_["trials"][0]
    assert model.study_["winner"]["trial"] == trial["id"]
    assert trial["settings"]["epochs"] == 3.0
    assert trial["settings"]["batch_size"] == 40
    assert {one["name"] for one in trial["recipe"]["regularizers"]} == {"MixUp", "Dropout"}
    assert len(trial["history"]) >= 3


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"recipe": "dropout"}, "temperance.Recipe"),
        ({"budget": "2m", "epochs": 3}, "budget together with epochs"),
        ({"epochs": 0}, "above 0"),
        ({"net": "nothing"}, "there is no net 'nothing'"),
        ({"budget": "1s"}, "at least|the least"),
        ({"candidates": ["m:f"]}, "candidates without a budget"),
    ],
)
def test_settings_that_do_not_fit_are_refused(data: SimpleNamespace, settings: dict[str, object], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        TemperanceRegressor(**settings).fit(data.X, data.values)


def test_save_needs_a_fitted_study(data: SimpleNamespace, tmp_path: Path) -> None:
    with pytest.raises(NotFittedError):
        TemperanceClassifier().save(tmp_path / "bundle")
    with pytest.raises(SettingError, match="budget"):
        TemperanceClassifier(epochs=1).fit(data.X, data.labels).save(tmp_path / "bundle")


def test_a_random_state_gives_the_seed(data: SimpleNamespace) -> None:
    first = TemperanceRegressor(epochs=1, random_state=np.random.RandomState(1)).fit(data.X, data.values)
    second = TemperanceRegressor(epochs=1, random_state=np.random.RandomState(2)).fit(data.X, data.values)
    assert first.study_["trials"][0]["seed"] != second.study_["trials"][0]["seed"]


def test_a_row_of_weight_zero_is_as_if_it_were_not_there(data: SimpleNamespace) -> None:
    weight = np.r_[np.zeros(40), np.ones(120)]
    model = TemperanceRegressor(epochs=2).fit(data.X, data.values, sample_weight=weight)
    alone = TemperanceRegressor(epochs=2).fit(data.X[40:], data.values[40:], sample_weight=np.ones(120))
    np.testing.assert_array_equal(model.predict(data.X), alone.predict(data.X))


@pytest.mark.parametrize("model", [TemperanceRegressor(), TemperanceRegressor(epochs=2)], ids=["one run", "one net"])
def test_weights_that_are_all_the_same_change_no_bit(data: SimpleNamespace, model: TemperanceRegressor) -> None:
    plain = clone(model).fit(data.X, data.values).predict(data.X)
    for weight in (np.full(160, 0.3), 7.0):
        again = clone(model).fit(data.X, data.values, sample_weight=weight)
        np.testing.assert_array_equal(again.predict(data.X), plain)


def test_only_the_ratios_of_weights_count(data: SimpleNamespace) -> None:
    weight = np.random.default_rng(0).uniform(0.5, 2.0, 160)
    first = TemperanceRegressor().fit(data.X, data.values, sample_weight=weight)
    tiny = TemperanceRegressor().fit(data.X, data.values, sample_weight=weight * 2.0**-12)
    np.testing.assert_array_equal(tiny.predict(data.X), first.predict(data.X))


def test_groups_and_time_are_checked_without_a_budget_too(data: SimpleNamespace) -> None:
    model = TemperanceRegressor(epochs=1).fit(data.X, data.values, groups=np.arange(160) % 9, time=np.arange(160))
    assert np.isfinite(model.predict(data.X)).all()
    with pytest.raises(ValueError):
        TemperanceRegressor(epochs=1).fit(data.X, data.values, groups=[1, 2])
