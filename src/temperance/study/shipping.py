"""What goes into a bundle beside the model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from temperance.records.version import __version__
from temperance.study.desk import Desk
from temperance.study.state import Result

MOST_MOVES = 400  # moves kept per trial in study.json and in a bundle; the ledger has all


def bundle_job(desk: Desk, trial: str, folder: Path) -> dict[str, Any]:
    """Return what the worker needs to write the bundle of a trial."""
    state = desk.state
    members = state.members(trial)
    first = max(members, key=lambda m: members[m] if state.result(m).spec.is_net else -1.0)
    one = state.result(first)
    recipe = {
        "trial": trial, "members": [{"weight": w, **state.result(m).spec.to_dict()} for m, w in members.items()],
        "fraction": one.event.get("fraction", 1.0), "traces": [thin(trace) for trace in one.event.get("traces", [])],
        "chosen": {m: state.result(m).event.get("chosen") for m in members},
        "metric": desk.prepared.metric, "seed": desk.settings.seed,
    }  # fmt: skip
    details = {"data": desk.prepared.data["sha256"], "trial": trial, "temperance": __version__}
    guides = {"group": desk.settings.group, "time": desk.settings.time, "weight": desk.settings.weight}
    details |= {name: column for name, column in guides.items() if column is not None}
    kept = "".join(c if c.isalnum() else "_" for c in str(desk.prepared.data["name"]))
    return {
        "bundle": str(folder), "marks": desk.settings.marks, "recipe": recipe, "details": details,
        "recipe_toml": said(one)["toml"], "model_name": kept.strip("_")[:40] or "model",
    }  # fmt: skip


def said(result: Result) -> dict[str, Any]:
    """Return what the worker said of a trial's recipe in words; empty where it failed before."""
    return {"text": "", "explanation": "", "toml": "", "citations": [], **(result.event.get("said") or {})}


def thin(trace: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return a trace of at most ``MOST_MOVES`` moves, both ends kept."""
    if len(trace) <= MOST_MOVES:
        return trace
    return [trace[i] for i in np.unique(np.linspace(0, len(trace) - 1, MOST_MOVES).astype(int))]
