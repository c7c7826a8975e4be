"""What a study leaves behind: ``study.json``, ``leaderboard.csv``, and the texts that go into the bundle."""

from __future__ import annotations

import csv
import io
import platform
import time
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from temperance.evaluation import compare
from temperance.evaluation.insight import NO_TIME
from temperance.records.atomic import write_text
from temperance.records.plain_json import dumps
from temperance.records.version import __version__
from temperance.study.basics import compared
from temperance.study.choose import Candidate
from temperance.study.desk import Desk
from temperance.study.events import Ended
from temperance.study.finale import Outcome
from temperance.study.mixture import WHOLE
from temperance.study.results import metric_card, natural
from temperance.study.shipping import said, thin
from temperance.study.state import Result, State, ranked

SCHEMA = 1
PAIRED = ("expected_cost", "accuracy", "balanced_accuracy", "rmse", "mae")  # what an answer is told in


def write(desk: Desk, outcome: Outcome) -> Path:
    """Write ``study.json`` and what lies beside it; return the study folder."""
    row = _study_row(desk, outcome)
    desk.clock.close()
    row["budget"]["spent"] = {name: round(value, 3) for name, value in desk.clock.spent.items()}
    write_text(desk.out / "leaderboard.csv", leaderboard(desk.state, outcome.choice.winner))
    write_text(desk.out / "study.json", dumps(row, indent=1))
    desk.tell(Ended(status=row["status"], spent=row["budget"]["spent"]))
    return desk.out


def _study_row(desk: Desk, outcome: Outcome) -> dict[str, Any]:
    prepared, settings, finished = desk.prepared, desk.settings, outcome.finished
    return {
        "schema": SCHEMA, "temperance": __version__, "versions": _versions(),
        "created": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "command": settings.command,
        "seed": settings.seed, "device": settings.device,
        "machine": {"cpu": platform.processor() or platform.machine(), "cores": psutil.cpu_count(),
                    "memory_bytes": psutil.virtual_memory().total, "workers": desk.workers.count},
        "status": "interrupted" if desk.state.stopped else "complete",
        "data": prepared.data, "roles": prepared.roles.to_dict(), "metric": metric_card(prepared.metric),
        "budget": {"kind": settings.budget.kind, **vars(settings.budget), "reserved": dict(desk.clock.reserved),
                   "spent": {}, "before": round(desk.clock.before, 3), "fits": _fits(desk),
                   "left_out": _left_out(desk, finished)},
        "trials": [trial_row(r) for r in desk.state.results],
        "frontier": [_edge_row(c, outcome.edge, prepared.metric) for c in outcome.edge],
        "winner": _winner(desk, outcome),
        "findings": desk.state.findings or [],
        "bundle": "bundle" if settings.bundle else None, "ledger": "ledger.jsonl",
        "limits": _limits(desk), "citations": _citations(desk, outcome.choice.winner),
    }  # fmt: skip


def _fits(desk: Desk) -> dict[str, Any]:
    """Return the worker seconds of the trials that entered the choice, and their share of what the budget allowed."""
    choice, seconds = desk.state.choice, desk.settings.budget.seconds
    entered = 0.0 if choice is None else choice.fit_seconds
    share = None if seconds is None else round(entered / (seconds * desk.workers.count), 4)
    return {"seconds": entered, "share": share}


def _left_out(desk: Desk, finished: dict[str, Any]) -> list[dict[str, str]]:
    rows = [dict(r) for r in desk.state.left_out]
    rows += [{"what": r.spec.name, "why": failure(r)} for r in desk.state.trials if r.status == "failed"]
    for item in finished["winner"]["evaluation"].get("left_out", []):
        rows.append({"what": item["what"], "why": item["why"]})
    looked = finished["winner"].get("insight") or {}
    rows += [dict(item) for item in looked.get("left_out", []) if item["why"] == NO_TIME]
    return rows


def failure(result: Result) -> str:
    """Return why a trial failed, whole: what was received, what is accepted, what to do."""
    return f"It failed: {result.event.get('why') or 'no reason was given'}"


def trial_row(result: Result) -> dict[str, Any]:
    """Return one entry of ``trials``."""
    spec, event = result.spec, result.event
    recipe = spec.recipe if spec.is_net else None
    trace = event.get("trace", [])
    return {
        "id": spec.id, "name": spec.name, "kind": spec.kind, "model": spec.model.lower(), "recipe": recipe,
        "recipe_text": said(result)["text"], "explanation": said(result)["explanation"], "adaptive": spec.adaptive,
        "seed": spec.seed, "executor": spec.executor, "settings": spec.settings, "status": result.status,
        "why": _why(event), "epochs": event.get("epochs", 0),
        "fraction": event.get("fraction"), "cost": event.get("cost", {}), "selection": result.measurements,
        "robustness": event.get("robustness"), "acted": [_acted(row) for row in event.get("acted", [])],
        "trace": thin(trace), "history": event.get("history", []), "warnings": event.get("warnings", []),
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


def _edge_row(one: Candidate, edge: Sequence[Candidate], metric: str) -> dict[str, Any]:
    best = {
        "best quality": min(edge, key=lambda c: c.quality),
        "toughest": min(edge, key=lambda c: c.weakness),
        "fastest to use": min(edge, key=lambda c: c.latency_1_ms),
        "smallest": min(edge, key=lambda c: c.bytes),
        "fastest to train": min(edge, key=lambda c: c.seconds),
    }
    why = [words for words, c in best.items() if c is one] or ["a middle way that nothing beats at once"]
    return {
        "trial": one.id, "quality": natural(one.quality, metric),
        "robustness": one.robustness if np.isfinite(one.robustness) else None,
        "seconds": one.seconds, "latency_1_ms": one.latency_1_ms if np.isfinite(one.latency_1_ms) else None,
        "bytes": one.bytes if np.isfinite(one.bytes) else None, "why": ", ".join(why),
    }  # fmt: skip


def _winner(desk: Desk, outcome: Outcome) -> dict[str, Any]:
    choice, finished, state = outcome.choice, outcome.finished, desk.state
    tested, refit = finished["winner"]["evaluation"], finished["refit"]
    members = state.members(choice.winner)
    row = {
        "trial": choice.winner, "why": choice.why, "comparison": list(choice.comparison), "members": members,
        "test": tested["measurements"], "slices": tested["slices"], "reliability": tested["reliability"],
        "insight": finished["winner"].get("insight"), "leakage": finished["winner"].get("leakage"),
        "robustness": _robustness(tested), "robustness_summary": tested.get("robustness"),
        "refit": {m: {k: refit[m][k] for k in ("rows", "cost", "acted")} for m in members},
        "refit_trace": next((thin(list(refit[m]["trace"])) for m in members if refit[m]["trace"]), []),
        "temperature": finished["winner"].get("temperature"),
        "calibration": finished["winner"].get("calibration"), "served": finished["winner"].get("served"),
        "decision": tested.get("decision"), "interval": _interval(finished["winner"]),
        "cost": state.result(choice.winner).event.get("cost", {}), "bought": _bought(desk, outcome),
    }  # fmt: skip
    others = compared(state, images=desk.prepared.table.schema.kind == "images")
    for name in ("simple", "plain", "boosting", "linear"):
        row[f"{name}_test"] = _other(desk, finished, name, others.get(name, ""))
    return row


def _interval(event: dict[str, Any]) -> dict[str, Any] | None:
    """Return how the stated range was made, beside what it held on the test rows; None where there is none."""
    made, held = event.get("interval"), event["evaluation"].get("interval")
    return {**made, "tested": held} if made and held else None


def _robustness(tested: dict[str, Any]) -> list[dict[str, Any]]:
    found = tested.get("robustness")
    return list(found["cells"]) if found else []


def _other(desk: Desk, finished: dict[str, Any], name: str, trial: str) -> dict[str, Any] | None:
    if name not in finished:
        return None
    measured = finished[name]["evaluation"]["measurements"]
    row = {"trial": trial, "name": desk.state.result(trial).spec.name, "measurements": measured}
    return {**row, "winner_against_it": _against(desk, finished, name)}


def _against(desk: Desk, finished: dict[str, Any], name: str) -> dict[str, Any]:
    """Return the winner's paired difference to another model by metric, on the same test rows."""
    if finished[name] is finished["winner"]:
        return {}
    ours, theirs = (_losses(desk, finished[one]) for one in ("winner", name))
    table, index = desk.prepared.test, desk.prepared.roles.test
    groups = None if table.group is None else table.group[index]
    shown = [one for one in dict.fromkeys((*PAIRED, desk.prepared.metric)) if one in ours and one in theirs]
    found = {one: compare(ours[one], theirs[one], metric=one, groups=groups) for one in shown}
    return {
        one: {"difference": had.difference.to_dict(), "p": had.p, "verdict": had.verdict} for one, had in found.items()
    }


def _losses(desk: Desk, event: dict[str, Any]) -> dict[str, Any]:
    with np.load(desk.work / event["losses"], allow_pickle=False) as kept:
        return {name: kept[name] for name in kept.files}


def _bought(desk: Desk, outcome: Outcome) -> list[dict[str, Any]]:
    """Return what regularization bought and cost: the best regularized net against the plain net.

    On the test rows where both were finished (the winner is a net, and there was time), else on the selection rows. Of
    a folded run, each ingredient is left out in turn, on rows that the members which answer did not train on; where the
    best has no slot without regularization, what the recipe's strengths bought is that of the best run that has one.
    """
    folded = ranked(r for r in desk.state.done if r.event.get("attribution"))
    if folded:
        rows = _attributed(folded[0])
        if all(
            row["ingredient"] != WHOLE for row in rows
        ):  # each of its slots is regularized: ask the best that has both
            rows += [one for result in folded for one in _attributed(result) if one["ingredient"] == WHOLE][:1]
        return rows
    plain = next((r for r in desk.state.done if r.spec.kind == "plain"), None)
    nets = ranked(r for r in desk.state.done if r.spec.kind not in ("plain", "basic", "ensemble"))
    if plain is None or not nets or plain.losses is None:
        return []
    best = nets[0]
    ratio = best.seconds / plain.seconds if plain.seconds else None
    rows = [_difference(desk, best, plain, ratio)]
    if outcome.choice.winner == best.spec.id and "plain" in outcome.finished:
        rows += _on_test(desk, outcome.finished, ratio)
    return rows


def _attributed(result: Result) -> list[dict[str, Any]]:
    """Return what each ingredient of a folded run was worth: the mixture against the one without it."""
    rows = []
    for one in result.event["attribution"]:
        words = one["difference"]
        sentence = (
            f"{result.spec.name}, with {one['ingredient']} against without, on {words['n']} held-out rows: "
            f"{one['metric']} changed by {words['value']:+.4g}."
        )
        rows.append({
            "metric": one["metric"], "rows": "selection", "trial": result.spec.id, "ingredient": one["ingredient"],
            "difference": words, "p": one["p"], "verdict": one["verdict"], "cost_ratio": None, "sentence": sentence,
        })  # fmt: skip
    return rows


def _difference(desk: Desk, best: Result, plain: Result, ratio: float | None) -> dict[str, Any]:
    metric = desk.prepared.metric
    found = compare(best.losses, plain.losses, metric=metric)  # type: ignore[arg-type]
    words = found.difference
    first, second = (natural(r.quality, metric) for r in (best, plain))  # type: ignore[arg-type]
    sentence = (
        f"{best.spec.name} against the plain net, on the {words.n} selection rows: "
        f"{metric} {first:.4g} against {second:.4g}, a change of {words.value:+.4g}."
    )
    return {"metric": metric, "rows": "selection", "trial": best.spec.id, "difference": words.to_dict(),
            "p": found.p, "verdict": found.verdict, "cost_ratio": ratio, "sentence": sentence}  # fmt: skip


def _on_test(desk: Desk, finished: dict[str, Any], ratio: float | None) -> list[dict[str, Any]]:
    first = np.load(desk.work / finished["winner"]["losses"], allow_pickle=False)
    second = np.load(desk.work / finished["plain"]["losses"], allow_pickle=False)
    rows = []
    for name in first.files:
        if name not in ("log_loss", "accuracy", "rmse", "mae", "brier"):
            continue
        found = compare(first[name], second[name], metric=name)
        sentence = f"On {found.difference.n} test rows, {name} changed by {found.difference.value:+.4g}."
        rows.append({"metric": name, "rows": "test", "difference": found.difference.to_dict(), "p": found.p,
                     "verdict": found.verdict, "cost_ratio": ratio, "sentence": sentence})  # fmt: skip
    return rows


def leaderboard(state: State, winner: str) -> str:
    """Return all trials as CSV, best first; cells that a spreadsheet would run as a formula are quoted."""
    out = io.StringIO()
    names = sorted({name for r in state.results for name in r.measurements})
    writer = csv.writer(out)
    costs = ("seconds", "latency_1_ms", "latency_256_ms", "parameters", "flops", "bytes")
    writer.writerow(["trial", "name", "kind", "model", "adaptive", "status", "winner", *names, "robustness", *costs])
    for r in [*ranked(state.results), *(r for r in state.results if r.quality is None)]:
        values = [(r.measurements.get(n) or {}).get("value") for n in names]
        toughness = (r.event.get("robustness") or {}).get("value")
        cost = [r.event.get("cost", {}).get(c) for c in costs]
        kind = (r.spec.kind, r.spec.model.lower(), r.spec.adaptive, r.status, r.spec.id == winner)
        writer.writerow([_cell(v) for v in (r.spec.id, r.spec.name, *kind, *values, toughness, *cost)])
    return out.getvalue()


def _cell(value: Any) -> Any:
    text = "" if value is None else value
    return f"'{text}" if isinstance(text, str) and text[:1] in ("=", "+", "-", "@") else text


def _limits(desk: Desk) -> list[str]:
    roles = desk.prepared.roles
    said = [
        f"The figures hold for rows like the {len(roles.test)} test rows; other times, places or groups may differ.",
        "The winner was chosen by its figures on the rows that choose, so they are a little too good. The test is not.",
    ]
    if roles.folds:
        said.append(
            f"The choice was made in {len(roles.folds)} rounds: each row was answered by models that did not learn it, "
            "and taught the models of the other rounds."
        )
    said += own_net(desk.state, only=desk.settings.only)
    said += own_recipes(desk.state, [str(row["name"]) for row in desk.settings.starts])
    if desk.state.lost:
        said.append(f"{len(desk.state.lost)} worker processes ended by themselves; their trials were tried again.")
    if desk.state.stopped:
        said.append("The study was stopped early by the user.")
    said.append("No test against deliberate attacks was made.")
    return said


def own_net(state: State, *, only: bool) -> list[str]:
    """Return what must be said of a user's own net: each reason for which trials of it failed, whole."""
    own = [r for r in state.trials if r.spec.model == "user"]
    broken = [r for r in own if r.status == "failed"]
    said = [f"Your net: {r['why']}" for r in state.left_out if r["what"] == "your net"]
    for why in dict.fromkeys(str(r.event.get("why", "")) for r in broken):
        names = [r.spec.name for r in broken if r.event.get("why", "") == why]
        said.append(f"{len(names)} of {len(own)} trials of your net failed ({', '.join(names)}): {why}")
    return said if not said or only else [*said, "Use --only-task to let nothing but your net win."]


START = "Start of yours: "  # how the limits name a recipe that the user brought


def own_recipes(state: State, names: list[str]) -> list[str]:
    """Return which recipes that the user brought by ``--start`` were not tried, or failed, and why."""
    said = []
    for name in dict.fromkeys(names):
        tried = [r for r in state.trials if r.spec.name == name]
        if not tried:
            why = next((r["why"] for r in state.left_out if r["what"] == name), "the study had no place for it")
            said.append(f"{START}{name} was not tried: {why}.")
        elif all(r.status == "failed" for r in tried):
            said.append(f"{START}{name} failed: {tried[0].event.get('why', '')}")
    return said


def _citations(desk: Desk, trial: str) -> list[str]:
    found = {c for member in desk.state.members(trial) for c in said(desk.state.result(member))["citations"]}
    return sorted(found)


def _versions() -> dict[str, str]:
    names = ("torch", "numpy", "scipy", "scikit-learn", "polars", "optuna", "onnx", "onnxruntime", "safetensors")
    return {"python": platform.python_version(), **{name: version(name) for name in names}}
