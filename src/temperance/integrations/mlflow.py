"""A study as an MLflow run, with one nested run per trial. Needs the extra ``mlflow``."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from temperance.integrations.tracking import TrackedStudy, TrackedTrial, batches, opened
from temperance.records.errors import MissingExtra, StudyError

EXPERIMENT = "temperance"
PLACES = "a database as sqlite:///runs.db, or a tracking server's address"
MOST_PARAMS, MOST_METRICS, LONGEST = 100, 1000, 500  # what MLflow takes in one request, and letters of a name or value
STATUS = {"done": "FINISHED", "discarded": "KILLED", "interrupted": "KILLED", "failed": "FAILED"}


def export_study(
    folder: str | Path, *, uri: str | None = None, experiment: str = EXPERIMENT, artifacts: bool = True
) -> dict[str, Any]:
    """Write a study as a run: parameters, test figures, report, cards and bundle; each trial is a run inside it.

    Each call writes a new run. A run of a trial holds its recipe whole in the tag ``temperance.recipe`` (TOML), its
    strengths as parameters, and its score on the way as the metric ``score`` by percent of the training.

    Args:
        folder: of the study.
        uri: tracking server or database; None: ``MLFLOW_TRACKING_URI``, else what MLflow takes by itself.
        experiment: its name; made where it is not there.
        artifacts: copy report, cards, leaderboard, ``study.json`` and bundle.

    Returns:
        ``{"to", "uri", "experiment", "run", "trials"}``.

    Raises:
        MissingExtra: MLflow is not installed.
        StudyError: no finished study there, or MLflow cannot write to ``uri``.

    """
    study = opened(Path(folder))
    with _quiet():
        return _exported(study, uri, experiment, artifacts=artifacts)


def _exported(study: TrackedStudy, uri: str | None, experiment: str, *, artifacts: bool) -> dict[str, Any]:
    client = _client(uri)
    from mlflow.exceptions import MlflowException

    try:
        run = _Writer(client, study).write(experiment, artifacts=artifacts)
    except (MlflowException, OSError) as fault:
        raise StudyError(
            f"MLflow could not write the study: {_first_sentence(fault)}", PLACES,
            "Check --uri, or MLFLOW_TRACKING_URI",
        ) from fault  # fmt: skip
    return {
        "to": "mlflow", "uri": client.tracking_uri, "experiment": experiment, "run": run, "trials": len(study.trials),
    }  # fmt: skip


def _client(uri: str | None) -> Any:
    """Return a client; nothing global is changed."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    try:
        from mlflow.exceptions import MlflowException
        from mlflow.tracking import MlflowClient
    except ImportError as fault:
        raise MissingExtra(
            "MLflow is not installed",
            "the package mlflow or mlflow-skinny",
            'Install it with `pip install "temperance[mlflow]"`',
        ) from fault
    try:
        return MlflowClient(tracking_uri=uri)
    except (MlflowException, ImportError) as fault:
        raise StudyError(
            f"MLflow cannot use {uri or 'its usual place'}: {_first_sentence(fault)}", PLACES, "Check --uri",
        ) from fault  # fmt: skip


def _first_sentence(fault: Exception) -> str:
    return str(fault).strip().splitlines()[0].split(". ")[0]


@contextmanager
def _quiet() -> Iterator[None]:
    """Leave out what MLflow says of the tables that it makes."""
    logger = logging.getLogger("mlflow")
    before = logger.level
    logger.setLevel(logging.WARNING)
    try:
        yield
    finally:
        logger.setLevel(before)


class _Writer:
    """Writes one study through a client."""

    def __init__(self, client: Any, study: TrackedStudy) -> None:
        self.client, self.study = client, study

    def write(self, experiment: str, *, artifacts: bool) -> str:
        """Write all runs and return the id of the outer one."""
        known = self.client.get_experiment_by_name(experiment)
        number = self.client.create_experiment(experiment) if known is None else known.experiment_id
        study = self.study
        with self._run(number, f"study of {study.name}", {"temperance.kind": "study"}) as run:
            self._say(run, study.params, study.metrics)
            for trial in study.trials:
                self._trial(number, run, trial)
            for path in study.artifacts if artifacts else ():
                if path.is_dir():
                    self.client.log_artifacts(run, str(path), artifact_path=path.name)
                else:
                    self.client.log_artifact(run, str(path))
        return run

    def _trial(self, experiment: str, parent: str, trial: TrackedTrial) -> None:
        from temperance.core.recipe import Recipe

        won = trial.id == self.study.document["winner"]["trial"]
        tags = {
            "temperance.kind": "trial", "temperance.trial": trial.id, "temperance.status": trial.status,
            "temperance.winner": str(won).lower(), "mlflow.parentRunId": parent,
        }  # fmt: skip
        if trial.why:
            tags["temperance.why"] = trial.why[:LONGEST]
        if trial.spec.get("recipe") is not None:
            tags["temperance.recipe"] = Recipe.from_dict(trial.spec["recipe"]).to_toml()
        status = STATUS.get(trial.status, "FAILED")
        with self._run(experiment, f"{trial.id} {trial.name}", tags, status=status) as run:
            self.client.log_dict(run, trial.spec, "trial.json")
            figures = trial.metrics if trial.score is None else {**trial.metrics, self.study.metric: trial.score}
            self._say(run, trial.params, figures, readings=trial.readings)

    @contextmanager
    def _run(self, experiment: str, name: str, tags: dict[str, str], *, status: str = "FINISHED") -> Iterator[str]:
        """Begin a run and end it with ``status``; as failed where writing it broke off."""
        from mlflow.exceptions import MlflowException

        run = str(self.client.create_run(experiment, run_name=name[:LONGEST], tags=tags).info.run_id)
        try:
            yield run
        except BaseException as fault:
            try:
                self.client.set_terminated(run, status="FAILED")
            except (MlflowException, OSError) as other:  # the server is gone, say; the first error is the one to tell
                fault.add_note(f"the run {run} could not be ended: {other}")
            raise
        self.client.set_terminated(run, status=status)

    def _say(
        self, run: str, params: dict[str, Any], metrics: dict[str, float],
        readings: tuple[tuple[float, float], ...] = (),
    ) -> None:  # fmt: skip
        from mlflow.entities import Metric, Param

        now = int(1000 * time.time())
        for part in batches(params.items(), MOST_PARAMS):
            self.client.log_batch(run, params=[Param(name, str(value)[:LONGEST]) for name, value in part])
        told = [Metric(name, value, now, 0) for name, value in metrics.items()]
        told += [Metric("score", value, now, round(100 * fraction)) for fraction, value in readings]
        for some in batches(told, MOST_METRICS):
            self.client.log_batch(run, metrics=some)
