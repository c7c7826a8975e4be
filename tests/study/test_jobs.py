"""Trials as workers run them: predictions on the selection rows, marks, failures with a reason."""

from itertools import cycle

import numpy as np
import pytest

from temperance.records.errors import RecipeError
from temperance.regularizers.smoothness import fgsm_training
from temperance.study import jobs
from temperance.study.finish import reopen
from temperance.study.spec import TrialSpec

SETTINGS = {"epochs": 2.0, "batch_size": 64, "lr": 0.03}
ADAPTIVE = {"regularizers": [{"name": "Dropout", "p": 0.2}], "controller": {"name": "GapFeedback"}}


def run(runner, spec, answer=True, **job):
    said = []

    def say(event):
        said.append(event)
        return {"continue": answer}

    return jobs.trial(runner, {"spec": spec.to_dict(), "robustness": False, **job}, say), said


def test_a_net_on_folds_predicts_all_development_rows(runner):
    spec = TrialSpec("f1", "net", "plain", "Tabular", {"regularizers": []}, SETTINGS)
    result, said = run(runner, spec)
    answer = np.load(runner.folder / "trials" / "f1" / result["files"]["selection"])
    assert result["status"] == "done"
    assert np.isfinite(answer[runner.roles.refit]).all()
    assert [event["fraction"] for event in said][-1] >= 0.5
    assert result["cost"]["latency_1_ms"] > 0


def test_a_net_on_held_out_rows_ships_as_it_was_trained(large_bench):
    spec = TrialSpec("s1", "net", "cocktail", "Tabular", ADAPTIVE, SETTINGS, adaptive=True)
    result, _ = run(large_bench, spec)
    rows = large_bench.roles
    assert len(np.load(large_bench.folder / "trials" / "s1" / "selection.npy")) == len(rows.selection)
    assert len(np.load(large_bench.folder / "trials" / "s1" / "calibration.npy")) == len(rows.calibration)
    assert result["shipped"]
    kept = reopen(large_bench, spec).predictor
    answers = kept.predict(large_bench.table.rows.take(rows.selection))
    assert np.array_equal(answers, np.load(large_bench.folder / "trials" / "s1" / "selection.npy"))
    assert result["acted"][0]["acted"]


@pytest.mark.filterwarnings("ignore:FGSMTraining")
def test_an_alarm_in_the_training_stands_in_the_row_of_the_trial(runner, monkeypatch):
    shares = cycle([0.9, 0.01])
    monkeypatch.setattr(fgsm_training, "right", lambda outputs, batch: next(shares))
    attack = {"regularizers": [{"name": "FGSMTraining", "probe_every": 3}]}
    result, _ = run(runner, TrialSpec("f2", "net", "single", "Tabular", attack, SETTINGS))
    alarms = [text for text in result["warnings"] if "catastrophic over-fitting" in text]
    assert len(alarms) == 1
    assert alarms[0].endswith("First seen at pass 3.")


def test_out_of_time_is_said(large_bench):
    spec = TrialSpec("s2", "net", "plain", "Tabular", {"regularizers": []}, SETTINGS)
    assert run(large_bench, spec, seconds=1e-6)[0]["why"] == "out of time"


@pytest.mark.parametrize("kind", ["plain", "folded"])
def test_what_is_cut_as_clearly_worse_enters_the_choice_with_what_it_has(large_bench, kind):
    spec = TrialSpec("s7", "net", kind, "Tabular", {"regularizers": []}, {**SETTINGS, "epochs": 4.0})
    files = large_bench.folder / "trials" / "s7" / "selection.npy"
    cut, said = run(large_bench, spec, answer=False)
    answers = np.load(files)
    assert (cut["status"], cut["stopped"], cut["until"]) == ("done", "discarded", pytest.approx(0.25, abs=0.05))
    assert cut["closing_seconds"] > 0
    assert "ended" not in cut
    assert len(said) == 1
    again, _ = run(large_bench, spec.changed(until=cut["until"]))  # a replay ends where it ended
    assert again["fraction"] == cut["fraction"]
    assert np.load(files).tobytes() == answers.tobytes()


def test_a_training_that_the_clock_ends_is_repeated_by_its_until(large_bench):
    spec = TrialSpec("s3", "net", "plain", "Tabular", {"regularizers": []}, {**SETTINGS, "epochs": 3.0}, until=0.5)
    whole = TrialSpec("s4", "net", "plain", "Tabular", {"regularizers": []}, {**SETTINGS, "epochs": 3.0})
    first, second = (run(large_bench, one)[0] for one in (spec, spec))
    assert first["fraction"] == second["fraction"] == pytest.approx(0.5, abs=0.05)
    half = np.load(large_bench.folder / "trials" / "s3" / "selection.npy")
    run(large_bench, whole)
    assert half.tobytes() != np.load(large_bench.folder / "trials" / "s4" / "selection.npy").tobytes()


def test_basic_models_on_folds_choose_once_for_all_of_them(runner, large_bench):
    result, _ = run(runner, TrialSpec("b1", "linear", "basic", "Linear"))
    assert len(result["chosen"]["grid"]) == 1
    assert result["tried"] == 1
    other = TrialSpec("b2", "knn", "basic", "Outside", settings={"origin": "sklearn.neighbors:KNeighborsClassifier"})
    result, _ = run(large_bench, other)
    assert "KNeighborsClassifier" in result["cannot_export"]


def test_a_student_trains_fold_by_fold(runner):
    teacher = TrialSpec("b1", "linear", "basic", "Linear", settings={"grid": [0.01]})
    spec = TrialSpec("d1", "student", "single", "Tabular", {"regularizers": []}, SETTINGS, teacher=teacher.to_dict())
    result, _ = run(runner, spec)
    answer = np.load(runner.folder / "trials" / "d1" / result["files"]["selection"])
    assert np.isfinite(answer[runner.roles.refit]).all()
    assert len(result["fold_seconds"]) == len(runner.roles.folds)


@pytest.mark.parametrize("fault", [RecipeError("two averages", "one", "drop one"), ZeroDivisionError("division")])
def test_a_failure_is_an_event_with_its_reason(fault):
    def broken():
        raise fault

    event = jobs.safe(broken)
    assert event["event"] == "failed"
    assert str(fault).split()[0] in event["why"]


def test_a_training_that_is_asked_to_stop_keeps_what_it_has(large_bench, tmp_path, monkeypatch):
    spec = TrialSpec("s5", "net", "plain", "Tabular", {"regularizers": []}, {**SETTINGS, "epochs": 50.0})
    said = []

    def say(event):
        said.append(event)
        (tmp_path / "stop").touch()
        return {"continue": True}

    job = {"spec": spec.to_dict(), "robustness": True, "stop": str(tmp_path / "stop")}
    result = jobs.trial(large_bench, job, say)
    assert result["status"] == "done"
    assert 0.25 <= result["until"] < 0.6
    assert result["robustness"] is None  # whoever asks to stop waits for nothing else
    weights = large_bench.folder / "trials" / "s5" / result["weights"]
    assert weights.stat().st_size > 1000


def test_what_the_recipe_says_travels_with_the_trial(large_bench):
    spec = TrialSpec("s6", "net", "single", "Tabular", {"regularizers": [{"name": "Dropout", "p": 0.2}]}, SETTINGS)
    said = run(large_bench, spec)[0]["said"]
    assert said["text"] == "Recipe(Dropout(p=0.2))"
    assert said["citations"]


def test_an_unexpected_failure_says_where():
    event = jobs.safe(lambda: 1 / 0)
    assert "test_jobs.py, line" in event["why"]
