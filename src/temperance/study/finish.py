"""The end of a study, in a worker: audit, refit, test, export."""

from __future__ import annotations

import hashlib
import pickle
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file

from temperance import audit as audit_room
from temperance.control.base import Move
from temperance.deployment import Ensemble, Extras, write_bundle
from temperance.deployment.record import keep_record
from temperance.evaluation import Evaluation, Insight, decide, evaluate, insight
from temperance.evaluation.calibration import Calibrated, Calibration, Temperature, calibrate
from temperance.evaluation.insight import NO_TIME
from temperance.governance.representativeness import every_check
from temperance.monitoring import reference
from temperance.records.cost import TrialCost
from temperance.records.decision import Costs
from temperance.records.roles import sample
from temperance.records.row_marks import Known, RowMarks, row_marks
from temperance.records.schema import Rows, Schema
from temperance.records.stated_range import StatedRange, check_level, rows_for
from temperance.study import folded
from temperance.study.jobs import MODEL, SCALE_ROWS, WEIGHTS, Say, limited
from temperance.study.membership import membership
from temperance.study.runner import BasicPredictor, Fitted, Index, Runner
from temperance.study.serving import part_of
from temperance.study.spec import TrialSpec
from temperance.training.predictor import NetPredictor
from temperance.training.price import latency_ms

PARITY_ROWS = 200
PACE_STEPS = 8
REFERENCE_ROWS = 20_000
INSIGHT_SECONDS = 5.0  # at most, of looking into the winner
MEMBERSHIP_SHARE, LEAST_MEMBERSHIP = 0.2, 0.05  # of the time that is left then; seconds
INSIGHT_SHARE = 0.3  # of the time that is left after its test


@dataclass(frozen=True, eq=False)
class EnsemblePredictor:
    """The weighted mean of several predictors' probabilities or values."""

    members: tuple[Any, ...]
    weights: tuple[float, ...]

    @property
    def schema(self) -> Schema:
        """Columns and target."""
        schema: Schema = self.members[0].schema
        return schema

    def predict(self, rows: Rows) -> NDArray[Any]:
        """Return Σ wᵢ pᵢ.

        Shapes: (b, c) or (b,).
        """
        parts = [w * m.predict(rows) for w, m in zip(self.weights, self.members, strict=True)]
        total: NDArray[Any] = np.sum(parts, axis=0)
        return total


def audit(runner: Runner, job: dict[str, Any], say: Say) -> dict[str, Any]:
    """Run the audit within its share of the budget."""
    test = runner.test_table if runner.roles.test_is_separate else None
    seconds = job.get("seconds")
    found = audit_room.inspect(
        runner.table, runner.roles, test=test, seed=job["seed"], budget_seconds=seconds, checks=every_check()
    )
    return {"findings": [finding.to_dict() for finding in found]}


def pace(runner: Runner, job: dict[str, Any], say: Say) -> dict[str, Any]:
    """Measure how long an epoch of a net takes here, with a few steps that are thrown away."""
    spec = TrialSpec.from_dict(job["spec"])
    spec, rows = folded.as_trained(runner, spec)
    settings = spec.settings
    batch = min(int(settings["batch_size"]), len(rows))
    some = rows[: batch * PACE_STEPS]
    short = spec.changed(settings={**settings, "epochs": 1.0})
    empty = np.empty(0, dtype=np.int64)
    runner.fit(short, some[: 2 * batch], empty, measure=False)  # the first steps of a process load and plan
    started = time.monotonic()
    fitted = runner.fit(short, some, empty, measure=False)
    steps = fitted.trained.steps if fitted.trained else 1
    per_step = (fitted.cost.seconds or 0.0) / max(1, steps)
    return {"step_seconds": per_step, "fixed_seconds": time.monotonic() - started - (fitted.cost.seconds or 0.0)}


def refit(runner: Runner, job: dict[str, Any], say: Say) -> dict[str, Any]:
    """Refit one model on the refit rows, replaying strengths and stopping point, and keep it in ``refit/``."""
    spec = TrialSpec.from_dict(job["spec"])
    rows = limited(refit_rows(runner), spec)
    traces = None
    if spec.is_net:
        traces = [[Move.from_dict(move) for move in trace] for trace in job.get("traces", [])]
    empty = np.empty(0, dtype=np.int64)
    fitted = runner.fit(spec, rows, empty, until=float(job.get("until", 1.0)), traces=traces)
    folder = runner.folder / "refit"
    folder.mkdir(exist_ok=True)
    if fitted.trained is not None:
        state = {n: t.detach().cpu().contiguous() for n, t in fitted.trained.model.state_dict().items()}
        save_file(state, folder / f"{spec.id}.safetensors")
    else:
        (folder / f"{spec.id}.pickle").write_bytes(pickle.dumps(fitted.predictor.fitted))
    proof = fitted.trained.proof if fitted.trained else []
    return {
        "id": spec.id, "cost": fitted.cost.to_dict(), "rows": len(rows),
        "acted": [e.to_dict() for e in proof],
        "trace": [m.to_dict() for m in fitted.trained.trace] if fitted.trained else [],
    }  # fmt: skip


def refit_rows(runner: Runner) -> Index:
    """Return the rows of the refit: train, controller and selection; all development rows where folds are used."""
    return np.sort(runner.roles.refit)


def learned_rows(runner: Runner, spec: TrialSpec) -> Index:
    """Return the rows that what ships of a trial was trained on: those of its refit, or of the trial itself."""
    again = runner.roles.folds or _refitted(runner, spec).exists()
    return limited(refit_rows(runner) if again else runner.roles.train, spec)


def _refitted(runner: Runner, spec: TrialSpec) -> Path:
    return runner.folder / "refit" / f"{spec.id}.{'pickle' if spec.kind == 'basic' else 'safetensors'}"


def reopen(runner: Runner, spec: TrialSpec) -> Fitted:
    """Open what ships of a trial, written by this study's own worker: its refit from ``refit/``, or its trained net."""
    if spec.kind == "folded":
        return Fitted(spec, folded.open_shipped(runner, spec), TrialCost())
    path, kept = _refitted(runner, spec), runner.folder / "trials" / spec.id
    if spec.kind == "basic":
        fitted = pickle.loads((path if path.exists() else kept / MODEL).read_bytes())
        return Fitted(spec, BasicPredictor(runner.schema, fitted), TrialCost())
    rows = learned_rows(runner, spec)
    preprocess = runner.preprocess(rows)
    made = runner.net(spec, preprocess, rows)
    preprocess = runner.fed(made, preprocess)
    made.model.load_state_dict(load_file(path if path.exists() else kept / WEIGHTS))
    model = made.model.to(runner.device).eval()
    predictor = NetPredictor(runner.schema, preprocess, model, runner.device, spec.model != "user")
    return Fitted(spec, predictor, TrialCost())


def finish(runner: Runner, job: dict[str, Any], say: Say) -> dict[str, Any]:
    """Calibrate and test a model made of refitted members; export it too where the job names a ``bundle``."""
    model = _Model.of(runner, job)
    started = time.monotonic()
    measured = evaluate(
        model.final, runner.test_table, runner.roles.test, suite=job.get("suite", "quick"), seed=job["seed"],
        budget_seconds=job.get("seconds"),
        weighted=bool(job.get("weigh_test", True)),
        clean_rows=sample(runner.roles.refit, SCALE_ROWS) if not runner.roles.test_is_separate else None,
    )  # fmt: skip
    name = job["name"]
    looked = _insight(runner, job, model, measured, time.monotonic() - started) if name == "winner" else None
    leaks = _membership(runner, job, model, time.monotonic() - started) if name == "winner" else None
    np.savez(runner.folder / f"test_{name}.npz", allow_pickle=False, **measured.losses)
    report = {
        "evaluation": measured.to_dict(),
        "insight": None if looked is None else looked.to_dict(),
        "leakage": leaks,
        "evaluation_seconds": time.monotonic() - started,
        "losses": f"test_{name}.npz",
        "interval": model.interval.to_dict() if model.interval else None,
        "calibration": model.calibration.to_dict() if model.calibration else None,
        "temperature": _temperature(model.calibration),
    }
    if not job.get("bundle"):
        return report
    written = _written(runner, model, job)
    keep_record(Path(job["bundle"]), measured.to_dict()["measurements"], rows=measured.n)
    return {**report, **written}


def _insight(runner: Runner, job: dict[str, Any], model: _Model, measured: Evaluation, spent: float) -> Insight:
    """Look into the winner in a part of the time that is left, so that what it is compared with is tested too."""
    seconds = job.get("seconds")
    rest = None if seconds is None else min(INSIGHT_SECONDS, INSIGHT_SHARE * max(0.0, seconds - spent))
    table, rows = runner.test_table, measured.index
    return insight(model.final, table, rows, measured.outcome, seed=job["seed"], budget_seconds=rest)


def _membership(runner: Runner, job: dict[str, Any], model: _Model, spent: float) -> dict[str, Any]:
    """Attack the winner's knowledge of its own rows, in a part of the time that is left."""
    seconds = job.get("seconds")
    rest = None if seconds is None else MEMBERSHIP_SHARE * max(0.0, seconds - spent)
    if rest is not None and rest < LEAST_MEMBERSHIP:
        return {"attacks": [], "not_done": [{"what": "membership", "why": NO_TIME}], "flags": [], "seed": job["seed"]}
    learned = folded.rows_of(runner.roles)
    for fitted in model.members:
        if fitted.spec.kind != "folded":
            learned = np.intersect1d(learned, learned_rows(runner, fitted.spec))
    return membership(
        runner, model.members, model.final, learned, seed=job["seed"], weights=model.weights, budget_seconds=rest
    )


def export(runner: Runner, job: dict[str, Any], say: Say) -> dict[str, Any]:
    """Write the bundle of a model made of refitted members; another worker may test it meanwhile."""
    return _written(runner, _Model.of(runner, job), job)


def _written(runner: Runner, model: _Model, job: dict[str, Any]) -> dict[str, Any]:
    started = time.monotonic()
    bundle = _export(runner, model, job)
    few = runner.table.rows.take(sample(runner.roles.refit, 256))
    return {
        "export_seconds": time.monotonic() - started,
        "bundle": job["bundle"],
        "served": {
            "latency_1_ms": latency_ms(bundle, few, 1),
            "latency_256_ms": latency_ms(bundle, few, 256),
            "bytes": sum(p.stat().st_size for p in Path(job["bundle"]).rglob("*") if p.is_file()),
        },
    }


@dataclass(frozen=True, eq=False)
class _Model:
    """A model as it ships: its members and their weights, and what corrects its answers."""

    members: list[Fitted]
    weights: tuple[float, ...]
    final: Calibrated
    interval: StatedRange | None
    calibration: Calibration | None

    @classmethod
    def of(cls, runner: Runner, job: dict[str, Any]) -> _Model:
        """Open what a job names."""
        members = [reopen(runner, TrialSpec.from_dict(row)) for row in job["members"]]
        weights = tuple(float(w) for w in job["weights"])
        raw = members[0].predictor if len(members) == 1 else EnsemblePredictor(
            tuple(m.predictor for m in members), weights
        )  # fmt: skip
        return cls(members, weights, *_calibrated(runner, raw, job))

    @property
    def decision(self) -> dict[str, Any] | None:
        """How it answers under costs, as a bundle keeps it."""
        return None if self.final.decision is None else self.final.decision.to_dict()


def _calibrated(
    runner: Runner, raw: Any, job: dict[str, Any]
) -> tuple[Calibrated, StatedRange | None, Calibration | None]:
    """Return the predictor with its calibrator (classes) or its half width (values), from rows it never trained on.

    Without calibration rows both come from the out-of-fold predictions of the trial.
    """
    rows, answer = _held_out(runner, raw, job)
    truth = runner.table.target[rows]
    if runner.schema.target.task == "regression":
        level = check_level(job.get("interval"))
        if len(truth) < max(10, rows_for(level)):
            return Calibrated(raw), None, None
        floor = 0.0 if runner.schema.target.counts else None
        interval = StatedRange.of(truth - answer, answer, level=level, seed=int(job["seed"]), floor=floor)
        return Calibrated(raw, band=interval), interval, None
    guides = runner.table.guides(rows)
    calibration = calibrate(answer, truth, **guides)
    decision = None
    if job.get("costs"):
        apart = calibration.held_out
        chances = calibration.calibrator.apply(answer) if apart is None else apart
        decision = decide(chances, truth, Costs.of(job["costs"], runner.schema.target.classes), **guides)
    return Calibrated(raw, calibration.calibrator, decision=decision), None, calibration


def _temperature(calibration: Calibration | None) -> float | None:
    """Return the one number of older study files; None where the map is not a temperature."""
    if calibration is None or calibration.calibrator.kind not in ("identity", "temperature"):
        return None
    return calibration.calibrator.value if isinstance(calibration.calibrator, Temperature) else 1.0


def _held_out(runner: Runner, raw: Any, job: dict[str, Any]) -> tuple[Index, NDArray[Any]]:
    """Return rows that the model did not train on, and its answers for them."""
    index = runner.roles.calibration
    if len(index):
        return index, raw.predict(runner.table.rows.take(index))
    answer = np.load(runner.folder / job["out_of_fold"], allow_pickle=False)
    known = np.flatnonzero(np.isfinite(answer.reshape(len(answer), -1)).all(axis=1))
    return known, answer[known]


def _export(runner: Runner, model: _Model, job: dict[str, Any]) -> Any:
    parts, final = tuple(part_of(runner, fitted) for fitted in model.members), model.final
    part = parts[0] if len(parts) == 1 else Ensemble(parts, model.weights)
    index, answers = _reference(runner, final, job)
    rows = runner.table.rows.take(index)
    arrays = reference.build(rows, answers, runner.schema, target=runner.table.target[index], seed=job["seed"])
    extras = Extras(
        reference=arrays, recipe=job["recipe"], recipe_toml=job.get("recipe_toml", ""),
        texts=job.get("texts", {}), details=job.get("details", {}),
        marks=_marks(runner, str(job["members"])) if job.get("marks", True) else None,
    )  # fmt: skip
    return write_bundle(
        Path(job["bundle"]), part=part, schema=runner.schema, predictor=final, rows=rows.take(slice(0, PARITY_ROWS)),
        calibrator=final.calibrator, interval=model.interval, decision=model.decision, extras=extras,
        name=job.get("model_name", "model"),
    )  # fmt: skip


def _marks(runner: Runner, members: str) -> RowMarks:
    """Mark the rows behind a model, with a salt of its own: the data and the settings of its members."""
    roles, table, test = runner.roles, runner.table, runner.test_table
    own = np.unique(np.concatenate([roles.refit, roles.calibration, roles.development])).astype(np.int64)
    salt = hashlib.blake2b(f"{table.fingerprint} {members}".encode(), digest_size=16).digest()
    tested = Known(test.rows.take(roles.test), test.target[roles.test])
    learned = Known(table.rows.take(own), table.target[own])
    return row_marks(runner.schema, learned=learned, tested=tested, salt=salt)


def _reference(runner: Runner, final: Calibrated, job: dict[str, Any]) -> tuple[Index, NDArray[Any]]:
    """Return rows that the model did not train on, and its answers: what served answers are compared with.

    Answers on training rows are surer and better than any that will be served, so every such monitor would alarm.
    """
    if len(runner.roles.calibration):
        index = sample(runner.roles.calibration, REFERENCE_ROWS)
        return index, final.predict(runner.table.rows.take(index))
    answer = np.load(runner.folder / job["out_of_fold"], allow_pickle=False)
    known = np.flatnonzero(np.isfinite(answer.reshape(len(answer), -1)).all(axis=1))
    index = sample(known, REFERENCE_ROWS)
    kept = answer[index]
    return index, kept if kept.ndim == 1 else final.calibrator.apply(kept)
