"""An estimator without a budget: a folded run beside simple models, on all rows."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes
from sklearn.linear_model import RidgeCV
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split

from temperance import TemperanceClassifier, TemperanceRegressor
from temperance.data import read
from temperance.estimators.one_run import BESIDE, OneRun


def test_what_cannot_be_folded_is_told_apart() -> None:
    rng = np.random.default_rng(0)
    inputs = rng.normal(size=(60, 2))
    assert OneRun.obstacle(read((inputs, inputs[:, 0])).table) is None
    assert "30 rows" in OneRun.obstacle(read((inputs[:30], inputs[:30, 0])).table)
    labels = np.array(["a"] * 58 + ["b"] * 2)
    assert "2 rows" in OneRun.obstacle(read((inputs, labels)).table)


def test_a_single_net_says_why_it_stands_alone() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(60, 2)), rng.normal(size=60)
    assert "order in time" in TemperanceRegressor().fit(x, y, time=np.arange(60)).study_["winner"]["why"]
    assert "30 rows" in TemperanceRegressor().fit(x[:30], y[:30]).study_["winner"]["why"]
    assert "was given" in TemperanceRegressor(epochs=1).fit(x, y).study_["winner"]["why"]


def test_groups_reach_the_gate_of_the_calibration(monkeypatch: pytest.MonkeyPatch) -> None:
    from temperance.estimators import one_run

    heard = []
    real = one_run.calibrate
    monkeypatch.setattr(one_run, "calibrate", lambda *a, **k: heard.append(k["groups"]) or real(*a, **k))
    rng = np.random.default_rng(0)
    x, patient = rng.normal(size=(120, 3)), np.repeat(np.arange(40), 3)
    TemperanceClassifier(random_state=0).fit(x, (x[:, 0] > 0).astype(int), groups=patient)
    assert len(np.unique(heard[0])) == 40


@pytest.mark.slow
def test_it_is_as_good_as_a_linear_model_where_that_is_right() -> None:
    inputs, values = load_diabetes(return_X_y=True)
    x, x_test, y, y_test = train_test_split(inputs, values, random_state=0, test_size=0.3)
    model = TemperanceRegressor().fit(x, y)
    ours = np.sqrt(np.mean((model.predict(x_test) - y_test) ** 2))
    ridge = np.sqrt(np.mean((RidgeCV().fit(x, y).predict(x_test) - y_test) ** 2))
    assert ours < 1.05 * ridge
    assert [trial["kind"] for trial in model.study_["trials"]] == ["folded", *["basic"] * len(BESIDE)]
    assert sum(model.study_["winner"]["members"].values()) == pytest.approx(1.0)


def test_classes_come_calibrated_and_the_same_seed_gives_the_same_answers() -> None:
    inputs, labels = load_breast_cancer(return_X_y=True)
    x, x_test, y, y_test = train_test_split(inputs[:300], labels[:300], random_state=1, test_size=0.4)
    first, second = (TemperanceClassifier(random_state=3).fit(x, y) for _ in range(2))
    assert np.array_equal(first.predict_proba(x_test), second.predict_proba(x_test))
    assert log_loss(y_test, first.predict_proba(x_test)) < 0.2


def test_a_recipe_or_epochs_of_ones_own_train_one_net() -> None:
    inputs, values = load_diabetes(return_X_y=True)
    model = TemperanceRegressor(epochs=1).fit(inputs[:80], values[:80])
    assert [trial["name"] for trial in model.study_["trials"]] == ["one net"]


def test_weights_count_in_the_mixture_and_the_calibration() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(200, 3))
    y = (x[:, 0] + 0.3 * rng.normal(size=200) > 0).astype(int)
    spoiled = np.arange(200) < 120
    model = TemperanceClassifier(random_state=0).fit(x, np.where(spoiled, 1 - y, y), np.where(spoiled, 1e-9, 1.0))
    assert model.score(x[spoiled], y[spoiled]) > 0.85
