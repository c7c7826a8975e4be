from __future__ import annotations

import json

import pytest

from temperance.records.cost import TrialCost
from temperance.records.measurement import Measurement
from temperance.testing.study_example import study_example


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_it_is_json_and_made_of_records(task: str) -> None:
    study = study_example(task)
    assert json.loads(json.dumps(study)) == study
    for measurement in study["winner"]["test"].values():
        assert Measurement.from_dict(measurement).to_dict() == measurement
    assert TrialCost.from_dict(study["winner"]["cost"]).to_dict() == study["winner"]["cost"]


def test_the_same_seed_gives_the_same_study() -> None:
    assert study_example(seed=3) == study_example(seed=3)
    assert study_example(seed=3) != study_example(seed=4)


def test_references_resolve() -> None:
    study = study_example(trials=30, status="interrupted")
    names = {trial["id"] for trial in study["trials"]}
    assert len(names) == 30
    assert study["winner"]["trial"] in names
    assert {point["trial"] for point in study["frontier"]} <= names
    assert study["status"] == "interrupted"
