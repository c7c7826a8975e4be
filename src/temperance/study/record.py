"""What a study leaves behind: ``study.json``, ``leaderboard.csv``, and the texts that go into the bundle."""

from __future__ import annotations

import csv
import io
import json
import platform
import time
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import psutil

from temperance import __version__
from temperance.control.base import Move
from temperance.evaluation import compare
from temperance.evaluation.metrics.registry import METRICS
from temperance.records.atomic import write_text
from temperance.records.measurement import Measurement
from temperance.study.choose import Candidate, Choice
from temperance.study.results import Result, metric_card

if TYPE_CHECKING:
    from temperance.study.study import Study

SCHEMA = 1
MOST_MOVES = 400  # moves kept per trial in study.json; the ledger has all


def extra_tests(study: Study, choice: Choice) -> dict[str, str]:
    """Return further models whose test figures the report compares with: plain net, simple rule, and a basic one."""
    done = [r for r in study.results if r.losses is not None]
    groups = {
        "simple": [r for r in done if r.spec.model == "Majority"],
        "plain": [r for r in done if r.spec.kind == "plain"],
        "boosting": [r for r in done if r.spec.model == "Boosting"],
    }
    if study.prepared.table.schema.kind == "images":  # boosting takes tables alone
        groups["linear"] = [r for r in done if r.spec.model == "Linear"]
    return {name: found[0].spec.id for name, found in groups.items() if found}


def bundle_job(study: Study, trial: str) -> dict[str, Any]:
    """Return what the worker needs to write the bundle."""
    members = study.members(trial)
    first = max(members, key=lambda m: members[m] if study.result(m).spec.is_net else -1.0)
    one = study.result(first)
    recipe = {
        "trial": trial, "members": [{"weight": w, **study.result(m).spec.to_dict()} for m, w in members.items()],
        "fraction": one.event.get("fraction", 1.0), "traces": [_thin(trace) for trace in one.event.get("traces", [])],
        "chosen": {m: study.result(m).event.get("chosen") for m in members},
        "metric": study.prepared.metric, "seed": study.settings.seed,
    }  # fmt: skip
    details = {"data": study.prepared.data["sha256"], "trial": trial, "temperance": __version__}
    return {
        "bundle": str(study.out / "bundle"), "recipe": recipe, "details": details,
        "recipe_toml": _toml(one.spec.recipe or {}), "model_name": _model_name(study),
    }  # fmt: skip


def write(study: Study, choice: Choice, edge: list[Candidate], finished: dict[str, Any]) -> Path:
    """Write ``study.json`` and what lies beside it; return the study folder."""
    row = _study_row(study, choice, edge, finished)
    _costs_of_time(study, row)
    write_text(study.out / "leaderboard.csv", leaderboard(study, choice.winner))
    write_text(study.out / "study.json", json.dumps(row, indent=1, default=_plain, allow_nan=False))
    study.ledger.write("end", status=row["status"], spent=row["budget"]["spent"])
    return study.out


def _study_row(study: Study, choice: Choice, edge: list[Candidate], finished: dict[str, Any]) -> dict[str, Any]:
    prepared = study.prepared
    return {
        "schema": SCHEMA, "temperance": __version__, "versions": _versions(),
        "created": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "command": study.settings.command,
        "seed": study.settings.seed, "device": study.settings.device,
        "machine": {"cpu": platform.processor() or platform.machine(), "cores": psutil.cpu_count(),
                    "memory_bytes": psutil.virtual_memory().total, "workers": study.workers},
        "status": "interrupted" if study.interrupted else "complete",
        "data": prepared.data, "roles": prepared.roles.to_dict(), "metric": metric_card(prepared.metric),
        "budget": {"kind": study.settings.budget.kind, "seconds": study.settings.budget.seconds,
                   "trials": study.settings.budget.trials, "reserved": dict(study.clock.reserved),
                   "spent": {}, "left_out": _left_out(study, finished)},
        "trials": [trial_row(study, r) for r in study.results],
        "frontier": [_edge_row(c, edge, prepared.metric) for c in edge],
        "winner": _winner(study, choice, finished),
        "findings": study.findings,
        "bundle": "bundle" if study.settings.bundle else None, "ledger": "ledger.jsonl",
        "limits": _limits(study), "citations": _citations(study, choice.winner),
    }  # fmt: skip


def _costs_of_time(study: Study, row: dict[str, Any]) -> None:
    study.clock.end()
    row["budget"]["spent"] = {name: round(value, 3) for name, value in study.clock.spent.items()}


def _left_out(study: Study, finished: dict[str, Any]) -> list[dict[str, str]]:
    rows = [dict(r) for r in study.left_out]
    for item in finished["winner"]["evaluation"].get("left_out", []):
        rows.append({"what": item["what"], "why": item["why"]})
    return rows


def trial_row(study: Study, result: Result) -> dict[str, Any]:
    """Return one entry of ``trials``."""
    spec, event = result.spec, result.event
    recipe = spec.recipe if spec.is_net else None
    trace = event.get("trace", [])
    return {
        "id": spec.id, "name": spec.name, "kind": spec.kind, "model": spec.model.lower(), "recipe": recipe,
        "recipe_text": _recipe_text(recipe), "explanation": _explain(recipe), "adaptive": spec.adaptive,
        "seed": spec.seed, "executor": spec.executor, "settings": spec.settings, "status": result.status,
        "why": _why(event), "epochs": event.get("epochs", 0),
        "fraction": event.get("fraction"), "cost": event.get("cost", {}), "selection": result.measurements,
        "robustness": event.get("robustness"), "acted": [_acted(row) for row in event.get("acted", [])],
        "trace": _thin(trace), "history": event.get("history", []), "warnings": event.get("warnings", []),
        "signal_seconds": event.get("signal_seconds", {}),
    }  # fmt: skip


_WHY = {
    "discarded": "Another trial was clearly better at the same point of its training.",
    "out of time": "Its share of the time budget ended before its training did.",
}


def _why(event: dict[str, Any]) -> str:
    said = str(event.get("why", "") or event.get("stopped", ""))
    return _WHY.get(said, said)


def _acted(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "ingredient": row["ingredient"],
        "acted": row["acted"],
        "evidence": row["evidence"],
        "silent": row["silent"],
    }


def _thin(trace: list[dict[str, Any]]) -> list[dict[str, Any]]:
    if len(trace) <= MOST_MOVES:
        return trace
    return [trace[i] for i in np.unique(np.linspace(0, len(trace) - 1, MOST_MOVES).astype(int))]


def _edge_row(one: Candidate, edge: list[Candidate], metric: str) -> dict[str, Any]:
    best = {
        "best quality": min(edge, key=lambda c: c.quality),
        "toughest": min(edge, key=lambda c: c.weakness),
        "fastest to use": min(edge, key=lambda c: c.latency_1_ms),
        "smallest": min(edge, key=lambda c: c.bytes),
        "fastest to train": min(edge, key=lambda c: c.seconds),
    }
    why = [words for words, c in best.items() if c is one] or ["a middle way that nothing beats at once"]
    return {
        "trial": one.id, "quality": _natural(one.quality, metric),
        "robustness": one.robustness if np.isfinite(one.robustness) else None,
        "seconds": one.seconds, "latency_1_ms": one.latency_1_ms if np.isfinite(one.latency_1_ms) else None,
        "bytes": one.bytes if np.isfinite(one.bytes) else None, "why": ", ".join(why),
    }  # fmt: skip


def _natural(loss: float, metric: str) -> float:
    """Return a mean per-row loss in the metric's own unit and direction."""
    if metric == "rmse":
        return float(np.sqrt(loss))
    return 1.0 - loss if METRICS[metric].better == "higher" else loss


def _winner(study: Study, choice: Choice, finished: dict[str, Any]) -> dict[str, Any]:
    tested = finished["winner"]["evaluation"]
    refit = finished["refit"]
    members = study.members(choice.winner)
    row = {
        "trial": choice.winner, "why": choice.why, "comparison": list(choice.comparison), "members": members,
        "test": tested["measurements"], "slices": tested["slices"], "reliability": tested["reliability"],
        "robustness": _robustness(tested), "robustness_summary": tested.get("robustness"),
        "refit": {m: {k: refit[m][k] for k in ("rows", "cost", "acted")} for m in members},
        "refit_trace": next((_thin(refit[m]["trace"]) for m in members if refit[m]["trace"]), []),
        "temperature": finished["winner"].get("temperature"),
        "calibration": finished["winner"].get("calibration"), "served": finished["winner"].get("served"),
        "cost": study.result(choice.winner).event.get("cost", {}), "bought": _bought(study, choice, finished),
    }  # fmt: skip
    for name in ("simple", "plain", "boosting", "linear"):
        row[f"{name}_test"] = _other(study, finished, name)
    return row


def _robustness(tested: dict[str, Any]) -> list[dict[str, Any]]:
    found = tested.get("robustness")
    return list(found["cells"]) if found else []


def _other(study: Study, finished: dict[str, Any], name: str) -> dict[str, Any] | None:
    if name not in finished:
        return None
    trial = extra_tests(study, Choice("", "", ()))[name]
    measured = finished[name]["evaluation"]["measurements"]
    return {"trial": trial, "name": study.result(trial).spec.name, "measurements": measured}


def _bought(study: Study, choice: Choice, finished: dict[str, Any]) -> list[dict[str, Any]]:
    """Return what regularization bought and cost: the best regularized net against the plain net.

    On the test rows where both were refitted (the winner is a net, and there was time), else on the selection rows.
    """
    plain = next((r for r in study.results if r.spec.kind == "plain" and r.losses is not None), None)
    nets = [r for r in study.results if r.spec.kind in ("single", "cocktail") and r.losses is not None]
    if plain is None or not nets or plain.losses is None:
        return []
    best = min(nets, key=lambda r: r.quality or np.inf)
    ratio = best.seconds / plain.seconds if plain.seconds else None
    rows = [_difference(study, best, plain, ratio)]
    if choice.winner == best.spec.id and "plain" in finished:
        rows += _on_test(study, finished, ratio)
    return rows


def _difference(study: Study, best: Result, plain: Result, ratio: float | None) -> dict[str, Any]:
    found = compare(best.losses, plain.losses, metric=study.prepared.metric)  # type: ignore[arg-type]
    words = found.difference
    sentence = (
        f"{best.spec.name} against the plain net, on the {words.n} selection rows: "
        f"{study.prepared.metric} changed by {words.value:+.4g}."
    )
    return {"metric": study.prepared.metric, "rows": "selection", "trial": best.spec.id, "difference": words.to_dict(),
            "p": found.p, "verdict": found.verdict, "cost_ratio": ratio, "sentence": sentence}  # fmt: skip


def _on_test(study: Study, finished: dict[str, Any], ratio: float | None) -> list[dict[str, Any]]:
    first = np.load(study.work / finished["winner"]["losses"], allow_pickle=False)
    second = np.load(study.work / finished["plain"]["losses"], allow_pickle=False)
    rows = []
    for name in first.files:
        if name not in ("log_loss", "accuracy", "rmse", "mae", "brier"):
            continue
        found = compare(first[name], second[name], metric=name)
        sentence = f"On {found.difference.n} test rows, {name} changed by {found.difference.value:+.4g}."
        rows.append({"metric": name, "rows": "test", "difference": found.difference.to_dict(), "p": found.p,
                     "verdict": found.verdict, "cost_ratio": ratio, "sentence": sentence})  # fmt: skip
    return rows


def leaderboard(study: Study, winner: str) -> str:
    """Return all trials as CSV, best first; cells that a spreadsheet would run as a formula are quoted."""
    out = io.StringIO()
    names = sorted({name for r in study.results for name in r.measurements})
    writer = csv.writer(out)
    costs = ("seconds", "latency_1_ms", "latency_256_ms", "parameters", "flops", "bytes")
    writer.writerow(["trial", "name", "kind", "model", "adaptive", "status", "winner", *names, "robustness", *costs])
    for r in sorted(study.results, key=lambda r: r.quality if r.quality is not None else float("inf")):
        values = [(r.measurements.get(n) or {}).get("value") for n in names]
        toughness = (r.event.get("robustness") or {}).get("value")
        cost = [r.event.get("cost", {}).get(c) for c in costs]
        kind = (r.spec.kind, r.spec.model.lower(), r.spec.adaptive, r.status, r.spec.id == winner)
        writer.writerow([_cell(v) for v in (r.spec.id, r.spec.name, *kind, *values, toughness, *cost)])
    return out.getvalue()


def _cell(value: Any) -> Any:
    text = "" if value is None else value
    return f"'{text}" if isinstance(text, str) and text[:1] in ("=", "+", "-", "@") else text


def _limits(study: Study) -> list[str]:
    roles = study.prepared.roles
    said = [
        f"The figures hold for rows like the {len(roles.test)} test rows; other times, places or groups may differ.",
        "The trials were chosen on the selection rows, so their figures there are a little too good. The test is not.",
    ]
    if roles.folds:
        said.append(
            f"The data are small: the choice rests on {len(roles.folds)}-fold predictions, no rows could be spared for "
            "controllers that read a held-out gap."
        )
    if study.interrupted:
        said.append("The study was stopped early by the user.")
    said.append("No test against deliberate attacks was made.")
    return said


def _citations(study: Study, trial: str) -> list[str]:
    from temperance.study.recipes import citations

    found = {c for member in study.members(trial) for c in citations(study.result(member).spec.recipe)}
    return sorted(found)


def _recipe_text(recipe: dict[str, Any] | None) -> str:
    from temperance.study.recipes import text

    return text(recipe)


def _explain(recipe: dict[str, Any] | None) -> str:
    from temperance.study.recipes import explain

    return explain(recipe)


def _toml(recipe: dict[str, Any]) -> str:
    from temperance.study.recipes import toml

    return toml(recipe)


def _versions() -> dict[str, str]:
    names = ("torch", "numpy", "scikit-learn", "polars", "optuna")
    return {"python": platform.python_version(), **{name: version(name) for name in names}}


def _model_name(study: Study) -> str:
    kept = "".join(c if c.isalnum() else "_" for c in str(study.prepared.data["name"]))
    return kept.strip("_") or "model"


def _plain(value: Any) -> Any:
    if hasattr(value, "tolist"):
        return value.tolist()
    if isinstance(value, (Measurement, Move)):
        return value.to_dict()
    raise TypeError(f"{type(value).__name__} does not go into study.json")


__all__ = ["SCHEMA", "bundle_job", "extra_tests", "leaderboard", "trial_row", "write"]
