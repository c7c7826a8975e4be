"""What a worker does for a study: one function per job, JSON in, JSON out, arrays beside it as files."""

from __future__ import annotations

import pickle
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.torch import save_file

from temperance.evaluation.robustness import probe
from temperance.models import BASIC
from temperance.records.errors import StudyError, TemperanceError
from temperance.records.roles import sample
from temperance.study import crossfit, folded
from temperance.study.deadline import Deadline, deadline_of
from temperance.study.recipes import said
from temperance.study.runner import LATENCY_ROWS, Fitted, Index, Runner
from temperance.study.serving import served_cost
from temperance.study.spec import TrialSpec

ROBUST_ROWS = 400
SCALE_ROWS = 5000  # that the spread of the columns is taken from
WEIGHTS, MODEL = "weights.safetensors", "model.pickle"
LATE, CUT, LEAST_FRACTION, LEAST_STOPPED = "out of time", "discarded", 0.25, 0.05
Say = Callable[[dict[str, Any]], dict[str, Any]]
"""Sends an event and returns the answer (for events that wait for one)."""


def trial(runner: Runner, job: dict[str, Any], say: Say) -> dict[str, Any]:
    """Run one trial: on the training rows, or fold by fold; predictions on the selection rows go to files."""
    spec = TrialSpec.from_dict(job["spec"])
    if spec.kind == "basic" and not BASIC[spec.model].blind:
        import sklearn.ensemble  # noqa: F401  # a second or more, once: no part of a fit, which refits are planned by
    until = deadline_of(job)
    folder = runner.folder / "trials" / spec.id
    folder.mkdir(parents=True, exist_ok=True)
    way = _folds if runner.roles.folds else _split
    if spec.kind == "folded":
        way = _folded
    elif spec.kind == "basic" and runner.roles.folds:
        way = crossfit.run
    done = way(runner, spec, folder, until, say, bool(job.get("robustness", True)))
    if "ended" in done:
        done["closing_seconds"] = round(time.monotonic() - done.pop("ended"), 4)
    return done


def _split(runner: Runner, spec: TrialSpec, folder: Path, deadline: Deadline, say: Say, robust: bool) -> dict[str, Any]:
    roles = runner.roles
    rows = limited(roles.train, spec)

    def tick(fraction: float, predictor: Any) -> bool:
        path = _save(folder / f"mark_{round(100 * fraction)}.npy", _predict(runner, predictor, roles.selection))
        return bool(say({"event": "mark", "id": spec.id, "fraction": round(fraction, 3), "file": path})["continue"])

    fitted = runner.fit(
        spec, rows, roles.controller, marks=(0.25, 0.5) if spec.is_net else (), tick=tick, deadline=deadline
    )
    if _is_lost(fitted, deadline):
        return {**_result(fitted), "status": "discarded", "why": fitted.trained.stopped if fitted.trained else ""}
    fitted.cost = served_cost(runner, fitted, runner.table.rows.take(rows[:LATENCY_ROWS]))
    selection = _save(folder / "selection.npy", _predict(runner, fitted.predictor, roles.selection))
    calibration = _save(folder / "calibration.npy", _predict(runner, fitted.predictor, roles.calibration))
    return {
        **_result(fitted),
        "status": "done",
        "shipped": spec.is_net,
        "tried": getattr(getattr(fitted.predictor, "fitted", None), "tried", 1),
        "files": {"selection": selection, "calibration": calibration},
        "robustness": _robustness(runner, fitted.predictor, roles.selection, rows)
        if robust and not deadline.asked
        else None,
        "weights": _keep(folder, fitted),
    }


def _folded(
    runner: Runner, spec: TrialSpec, folder: Path, deadline: Deadline, say: Say, robust: bool
) -> dict[str, Any]:
    def tick(fraction: float, answer: NDArray[Any]) -> bool:
        path = _save(folder / f"mark_{round(100 * fraction)}.npy", answer)
        return bool(say({"event": "mark", "id": spec.id, "fraction": round(fraction, 3), "file": path})["continue"])

    result = folded.run(runner, spec, folder, tick=tick, deadline=deadline)
    fitted, roles = result.fitted, runner.roles
    if fitted.predictor is None:
        why = fitted.trained.stopped if fitted.trained and fitted.trained.stopped else "its answers were never finite"
        return {**_result(fitted), "status": "discarded", "why": why}
    rows = folded.rows_of(roles)
    fitted.cost = served_cost(runner, fitted, runner.table.rows.take(rows[:LATENCY_ROWS]))
    calibration = result.calibration if roles.folds else _predict(runner, fitted.predictor, roles.calibration)
    return {
        **_result(fitted), "status": "done", "shipped": True,
        "files": {"selection": _save(folder / "selection.npy", result.selection),
                  "calibration": _save(folder / "calibration.npy", calibration)},
        "robustness": _held_bank(runner, fitted.predictor, rows) if robust and not deadline.asked else None,
        "attribution": result.attribution, "readings": list(result.readings), "picks": result.picks,
    }  # fmt: skip


def _held_bank(runner: Runner, predictor: Any, rows: Index) -> dict[str, Any]:
    """Return the robustness of the members of one bank on the rows that it left out, or of all on selection rows."""
    if not runner.roles.folds:
        return _robustness(runner, predictor, runner.roles.selection, rows)
    return _robustness(runner, folded.of_one_bank(predictor, 0), runner.roles.folds[0][1], rows)


def _is_lost(fitted: Fitted, deadline: Deadline) -> bool:
    """Return whether a training ended before a quarter of it was done: by the clock, or as clearly worse than another.

    One that ended later is kept as it is: ``until`` in its spec then says where it ended. So is one that the user ended
    earlier.
    """
    one, least = fitted.trained, LEAST_STOPPED if deadline.asked else LEAST_FRACTION
    return one is not None and one.stopped in (LATE, CUT) and one.fraction < least


def _folds(runner: Runner, spec: TrialSpec, folder: Path, deadline: Deadline, say: Say, robust: bool) -> dict[str, Any]:
    table = runner.table
    done: list[Fitted] = []
    predicted: NDArray[Any] | None = None
    toughness: dict[str, Any] | None = None
    empty = np.empty(0, dtype=np.int64)
    covered: list[Index] = []
    for number, (rows, held) in enumerate(runner.roles.folds):
        fitted = runner.fit(spec, rows, empty, deadline=deadline, measure=number == 0)
        if fitted.trained and fitted.trained.stopped == "out of time":
            return {**_merged(done or [fitted]), "status": "discarded", "why": "out of time"}
        if number == 0:
            fitted.cost = served_cost(runner, fitted, table.rows.take(rows[:LATENCY_ROWS]))
        done.append(fitted)
        answer = _predict(runner, fitted.predictor, held)
        if predicted is None:
            predicted = np.full((len(table), *answer.shape[1:]), np.nan)
        predicted[held] = answer
        covered.append(held)
        if robust and number == 0:
            toughness = _robustness(runner, fitted.predictor, held, rows)
        fraction = (number + 1) / len(runner.roles.folds)
        path = _save(folder / f"mark_{round(100 * fraction)}.npy", predicted)
        if number + 1 < len(runner.roles.folds):
            if time.monotonic() > deadline:
                return {**_merged(done), "status": "discarded", "why": "out of time"}
            event = {"event": "mark", "id": spec.id, "fraction": round(fraction, 3), "file": path}
            if not say(event)["continue"]:
                return {**_merged(done), "status": "discarded", "why": "discarded"}
    return {
        **_merged(done),
        "status": "done",
        "files": {"selection": _save(folder / "selection.npy", predicted), "calibration": ""},
        "robustness": toughness,
    }


def limited(rows: Index, spec: TrialSpec) -> Index:
    """Return the rows that the trial trains on: all, or ``most_rows`` drawn by its seed."""
    if spec.most_rows is None or len(rows) <= spec.most_rows:
        return rows
    return np.sort(np.random.default_rng(spec.seed).choice(rows, spec.most_rows, replace=False))


def _predict(runner: Runner, predictor: Any, index: Index) -> NDArray[Any]:
    """Return answers for the rows.

    Raises:
        StudyError: they have the wrong shape, or are not numbers.

    """
    if not len(index):
        return np.empty((0,))
    parts = [predictor.predict(runner.table.rows.take(index[i : i + 8192])) for i in range(0, len(index), 8192)]
    answer, target = np.concatenate(parts), runner.schema.target
    shape = (len(index),) if target.task == "regression" else (len(index), target.outputs)
    if answer.shape != shape:
        raise StudyError(
            f"the answers for {len(index)} rows have the shape {answer.shape}", f"{shape}",
            "A net gives logits (b, c) in the order of the classes, or values (b,) or (b, 1)",
        )  # fmt: skip
    bad = int((~np.isfinite(answer.reshape(len(answer), -1))).any(axis=1).sum())
    if bad:
        raise StudyError(
            f"{bad} of {len(answer)} answers are not numbers", "finite ones",
            "Look for a division by 0, a logarithm of 0 or too high a learning rate in the net and its Task",
        )  # fmt: skip
    return answer


def _robustness(runner: Runner, predictor: Any, index: Index, clean: Index) -> dict[str, Any]:
    result = probe(predictor, runner.table, index, limit=ROBUST_ROWS, clean_rows=sample(clean, SCALE_ROWS))
    return result.overall.to_dict()


def _result(fitted: Fitted) -> dict[str, Any]:
    row: dict[str, Any] = {"id": fitted.spec.id, "cost": fitted.cost.to_dict(), "chosen": fitted.chosen}
    row["said"] = said(fitted.spec.recipe)
    if fitted.cannot_export:
        row["cannot_export"] = fitted.cannot_export
    if fitted.trained is not None:
        one = fitted.trained
        row |= {
            "epochs": one.epochs,
            "fraction": one.fraction,
            "stopped": one.stopped,
            "warnings": list(one.warnings),
            "trained_seconds": one.seconds,
            "signal_seconds": one.signal_seconds,
            "until": one.fraction if one.stopped in (LATE, CUT) else fitted.spec.until,
            "ended": one.ended,
            "trace": [move.to_dict() for move in one.trace],
            "traces": [[move.to_dict() for move in one.trace]],
            "history": one.history,
            "acted": [evidence.to_dict() for evidence in one.proof],
        }
    return row


def _merged(done: list[Fitted]) -> dict[str, Any]:
    """Return one result for several folds: seconds and passes add up, the rest is the first fold's."""
    row = _result(done[0])
    row["cost"]["seconds"] = sum(one.cost.seconds or 0.0 for one in done)
    row["fold_seconds"] = [one.cost.seconds for one in done]
    if done[0].trained is not None:
        row["trained_seconds"] = sum(one.trained.seconds for one in done if one.trained)
        row["ended"] = max(one.trained.ended for one in done if one.trained)
        row["cost"]["passes"] = sum(one.cost.passes or 0 for one in done)
        row["fraction"] = float(np.mean([one.trained.fraction for one in done if one.trained]))
        row["warnings"] = list(dict.fromkeys(text for one in done if one.trained for text in one.trained.warnings))
        row["traces"] = [[m.to_dict() for m in one.trained.trace] for one in done if one.trained]
    return row


def _save(path: Path, array: NDArray[Any] | None) -> str:
    np.save(path, np.empty(0) if array is None else array)
    return str(path.name)


def _keep(folder: Path, fitted: Fitted) -> str:
    """Keep the weights of a net or a basic model: where there is no time to train it on more rows, these ship."""
    if fitted.trained is None:
        if fitted.spec.model == "Outside":  # what a user's estimator holds may not be written at all
            return ""
        (folder / MODEL).write_bytes(pickle.dumps(fitted.predictor.fitted))
        return MODEL
    state = {n: t.detach().cpu().contiguous() for n, t in fitted.trained.model.state_dict().items()}
    save_file(state, folder / WEIGHTS)
    return WEIGHTS


def safe(job: Callable[..., dict[str, Any]], *args: Any) -> dict[str, Any]:
    """Run a job; a failure is an event with its reason, so that one bad trial does not end a study."""
    try:
        return {"event": "done", **job(*args)}
    except TemperanceError as fault:
        return {"event": "failed", "why": str(fault), "kind": type(fault).__name__}
    except Exception as fault:  # a user's net or a numerical failure: reported by name in the study
        last = traceback.extract_tb(fault.__traceback__)[-1]
        why = f"{type(fault).__name__}: {fault} ({Path(last.filename).name}, line {last.lineno})"
        return {"event": "failed", "why": why, "kind": type(fault).__name__}
