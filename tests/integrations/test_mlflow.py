"""A study in MLflow: read back through MLflow's own client."""

import json
import sys

import pytest

from temperance import Recipe
from temperance.integrations.mlflow import export_study
from temperance.records.errors import MissingExtra, StudyError


@pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SADeprecationWarning")  # MLflow's, of its own queries
def test_a_study_is_a_run_with_its_trials_inside(study_folder, tmp_path, monkeypatch):
    tracking = pytest.importorskip("mlflow.tracking")
    monkeypatch.chdir(tmp_path)
    uri = f"sqlite:///{tmp_path / 'runs.db'}"
    told = export_study(study_folder, uri=uri, experiment="churn")
    client = tracking.MlflowClient(tracking_uri=uri)
    number = client.get_experiment_by_name("churn").experiment_id
    outer = client.get_run(told["run"])
    document = json.loads((study_folder / "study.json").read_text())
    assert outer.info.status == "FINISHED"
    assert outer.data.params["winner"] == document["winner"]["trial"]
    assert outer.data.metrics["test/log_loss"] == document["winner"]["test"]["log_loss"]["value"]
    assert {one.path for one in client.list_artifacts(told["run"])} == {"study.json", "report.html", "bundle"}
    inner = client.search_runs([number], f"tags.mlflow.parentRunId = '{told['run']}'")
    by_trial = {one.data.tags["temperance.trial"]: one for one in inner}
    assert len(by_trial) == told["trials"] == 13
    for row in document["trials"]:
        run = by_trial[row["id"]]
        if row["recipe"] is not None:
            assert Recipe.from_toml(run.data.tags["temperance.recipe"]) == Recipe.from_dict(row["recipe"])
        if row["selection"]:
            assert run.data.metrics["log_loss"] == row["selection"]["log_loss"]["value"]
    statuses = {trial: by_trial[trial].info.status for trial in ("t003", "t004", "t011")}
    assert statuses == {"t003": "FINISHED", "t004": "KILLED", "t011": "FAILED"}
    assert by_trial["t008"].data.params["dropout.p"] == "0.4"
    course = client.get_metric_history(by_trial["t004"].info.run_id, "score")
    assert [(one.step, one.value) for one in course] == [(25, 0.5)]


@pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SADeprecationWarning")
def test_runs_that_break_off_are_failed(study_folder, tmp_path, monkeypatch):
    tracking = pytest.importorskip("mlflow.tracking")
    monkeypatch.chdir(tmp_path)

    def full(*_, **__):
        raise OSError("no space left on device")

    monkeypatch.setattr(tracking.MlflowClient, "log_dict", full)
    uri = f"sqlite:///{tmp_path / 'runs.db'}"
    with pytest.raises(StudyError, match="no space left on device"):
        export_study(study_folder, uri=uri, experiment="churn")
    client = tracking.MlflowClient(tracking_uri=uri)
    number = client.get_experiment_by_name("churn").experiment_id
    assert [one.info.status for one in client.search_runs([number])] == ["FAILED", "FAILED"]


def test_a_place_that_cannot_be_used_is_refused(study_folder):
    pytest.importorskip("mlflow.tracking")
    with pytest.raises(StudyError, match="MLflow cannot use nonsense"):
        export_study(study_folder, uri="nonsense://x")


def test_without_mlflow_the_extra_is_named(study_folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "mlflow.exceptions", None)
    with pytest.raises(MissingExtra, match=r"temperance\[mlflow\]"):
        export_study(study_folder)
