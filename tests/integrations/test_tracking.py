"""A study folder as trackers take it: flat, finite, and with nothing lost."""

import json

import pytest

from temperance import Dropout, GapFeedback, Recipe, WeightDecay
from temperance.integrations.tracking import batches, flat, numbers, opened
from temperance.records.errors import StudyError


def test_a_study_is_read_whole(study_folder):
    study = opened(study_folder)
    by_id = {one.id: one for one in study.trials}
    document = json.loads((study_folder / "study.json").read_text())
    assert len(study.trials) == len(document["trials"]) == 13
    assert (study.metric, study.higher_is_better) == ("log_loss", False)
    one = by_id["t008"]
    assert one.score == document["trials"][8]["selection"]["log_loss"]["value"]
    assert one.params["dropout.p"] == 0.4
    assert (one.params["lr"], one.params["techniques"]) == (0.03, "dropout, weight_decay")
    assert one.metrics["cost/seconds"] == document["trials"][8]["cost"]["seconds"]
    assert by_id["t011"].score is None
    assert by_id["t004"].readings == ((0.25, 0.5),)
    assert "techniques" not in by_id["t001"].params
    assert study.metrics["test/log_loss"] == document["winner"]["test"]["log_loss"]["value"]
    assert [path.name for path in study.artifacts] == ["study.json", "report.html", "bundle"]


def test_a_study_that_has_not_ended_is_refused(study_folder, tmp_path):
    (study_folder / "study.json").unlink()
    with pytest.raises(StudyError, match="has not ended yet"):
        opened(study_folder)
    with pytest.raises(StudyError, match="no ledger"):
        opened(tmp_path)


def test_recipes_become_flat():
    recipe = Recipe(Dropout(0.1), Dropout(0.3, at="head"), WeightDecay(0.1), controller=GapFeedback())
    found = flat(recipe.to_dict(), {"lr": 0.1, "curve": "cos", "odd": [1]})
    assert found["dropout.p"] == 0.1
    assert (found["dropout_2.p"], found["dropout_2.at"]) == (0.3, "head")
    assert (found["controller"], found["curve"]) == ("GapFeedback", "cos")
    assert "odd" not in found
    assert flat(None, {"lr": 1}) == {"lr": 1}


def test_only_finite_numbers_are_sent():
    given = {"a": 1, "b": None, "c": float("nan"), "d": float("-inf"), "e": "word", "f": 0.5}
    assert numbers(given) == {"a": 1.0, "f": 0.5}
    assert batches(range(5), 2) == [[0, 1], [2, 3], [4]]
