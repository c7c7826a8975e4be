"""What the user brings: opened early, and distilled where it wins and cannot ship."""

import numpy as np
import pytest
from sklearn.neighbors import KNeighborsClassifier

from temperance.records.errors import TaskError
from temperance.study.candidates import kept_candidates, outside_specs, students
from temperance.study.results import Result
from temperance.study.spec import TrialSpec

BASE = TrialSpec(
    "", "medium cocktail", "cocktail", "Tabular",
    {"regularizers": [{"name": "Dropout", "p": 0.2}], "controller": {"name": "GapFeedback"}}, {"epochs": 3.0},
    seed=7, adaptive=True, architecture={"views": "raw"},
)  # fmt: skip


def result(loss, *, model="Outside", name="candidate m:f", reason="", latency=1.0):
    spec = TrialSpec("t001", name, "basic", model, settings={"origin": "m:f"})
    event = {"status": "done", "cost": {"latency_1_ms": latency, "bytes": 10.0}, "cannot_export": reason}
    return Result(spec, event, losses=np.full(4, loss))


def test_names_and_objects_become_trials(tmp_path):
    name = "sklearn.naive_bayes:GaussianNB"
    one, two = outside_specs([name, KNeighborsClassifier(3)], tmp_path, seed=5)
    assert (one.name, one.model, one.settings) == (f"candidate {name}", "Outside", {"origin": name})
    assert two.name == "candidate 2 (KNeighborsClassifier)"
    assert (tmp_path / "candidates" / "1.pickle").exists()
    assert two.settings["origin"].startswith("pickle:")
    assert (one.seed, one.kind, one.is_net) == (5, "basic", False)
    again = outside_specs(kept_candidates([name, "KNeighborsClassifier"], tmp_path), tmp_path, seed=5)
    assert again == [one, two]  # a resumed study finds them again


def test_mistakes_show_before_anything_is_trained(tmp_path):
    with pytest.raises(TaskError, match="importing"):
        outside_specs(["no_such_module:x"], tmp_path, seed=0)
    with pytest.raises(TaskError, match="handed to a worker"):
        outside_specs([lambda: KNeighborsClassifier()], tmp_path, seed=0)


def test_a_winner_that_cannot_ship_teaches_a_small_net():
    results = [result(0.3, reason="no rule for KNeighbors"), result(0.4, model="Linear", name="linear")]
    (spec,), (row,) = students(results, BASE)
    assert spec.name == "net distilled from candidate m:f"
    assert spec.teacher == results[0].spec.to_dict()
    assert spec.recipe == {"regularizers": [{"name": "Dropout", "p": 0.2}]}
    assert spec.architecture == {"views": "raw", "members": 4}
    assert (spec.kind, spec.adaptive, spec.settings, spec.seed) == ("single", False, BASE.settings, 7)
    assert TrialSpec.from_dict(spec.to_dict()) == spec
    assert "a net was distilled" in row["why"]


def test_one_that_is_over_a_limit_teaches_too_and_a_loser_or_a_shippable_one_does_not():
    slow = result(0.3, latency=9.0)
    assert students([slow], BASE) == ([], [])
    specs, reasons = students([slow], BASE, max_latency_ms=2.0)
    assert len(specs) == 1
    assert "--max-latency" in reasons[0]["why"]
    loser = [result(0.5, reason="no rule"), result(0.4, model="Linear", name="linear")]
    specs, reasons = students(loser, BASE)
    assert specs == []
    assert "another model is better anyway" in reasons[0]["why"]
