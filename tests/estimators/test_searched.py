"""Estimators that run a study."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from temperance.deployment import load
from temperance.estimators import TemperanceClassifier, TemperanceRegressor
from temperance.estimators.searched import Searched


def test_settings_reach_the_study(data: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []

    class Stopped(Exception):
        pass

    class Fake:
        def __init__(self, settings: Any, *, progress: Any = None) -> None:
            seen.append(settings)

        def run(self) -> None:
            raise Stopped

    monkeypatch.setattr("temperance.study.study.Study", Fake)
    with pytest.raises(Stopped):
        Searched("90s", "accuracy", "cpu", 2, 7, tmp_path / "kept", ("m:f",)).train(
            data.X, data.labels, task="classification", beside={"weight": np.ones(160)}
        )
    settings = seen[0]
    assert (settings.budget.seconds, settings.metric, settings.workers, settings.seed) == (90.0, "accuracy", 2, 7)
    assert settings.out == tmp_path / "kept"
    assert settings.task == "classification"
    assert settings.candidates == ("m:f",)
    assert settings.beside["weight"].sum() == 160


@pytest.mark.slow
def test_a_classifier_with_a_budget_serves_what_it_found(data: SimpleNamespace, tmp_path: Path) -> None:
    model = TemperanceClassifier(budget="4trials", workers=1, out=tmp_path / "study").fit(data.frame, data.positive)
    assert model.score(data.frame, data.positive) > 0.85
    assert model.study_ == json.loads((tmp_path / "study" / "study.json").read_text())
    chances = model.predict_proba(data.frame)
    assert np.array_equal(chances, pickle.loads(pickle.dumps(model)).predict_proba(data.frame))
    place = model.save(tmp_path / "bundle")
    assert load(place).classes == ("false", "true")


@pytest.mark.slow
def test_a_regressor_with_a_budget_gives_intervals(data: SimpleNamespace) -> None:
    model = TemperanceRegressor(budget="3trials", workers=1).fit(data.X, data.values)
    low, high = model.predict_interval(data.X)
    assert (low < high).all()
    assert ((low <= data.values) & (data.values <= high)).mean() > 0.8
    assert model.study_["data"]["task"] == "regression"
