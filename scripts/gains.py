"""Write what each technique was worth on tables, from the record of the effects benchmark, for the order of a search.

    python scripts/gains.py

Only problems that are bundled or of the half ``tuned`` count (``benchmarks/halves.py``), so that nothing of a study is
set by figures of sets that are looked at once.
"""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path
from statistics import fmean
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "benchmarks"))
import torch
from halves import half

import temperance.regularizers  # noqa: F401  (fills the registry)
from temperance import Dropout, Recipe, WeightDecay
from temperance.core.batch import Batch
from temperance.core.regularizer import techniques
from temperance.models import ModelInfo, build, fold_targets, loss_for
from temperance.records.errors import TemperanceError

ROOT = Path(__file__).resolve().parent.parent
LEAST_CELLS = 10

TABLES = ("breast_cancer", "churn", "satimage", "satimage_wrong", "semeion", "wine", "concrete", "kin8nm", "diabetes")
BUNDLED = ("breast_cancer", "wine", "diabetes")
TARGET = ROOT / "src" / "temperance" / "study" / "search" / "gains.json"


def gains() -> dict[str, dict[str, Any]]:
    """Return by technique the mean log ratio of losses without and with it, and of the seconds with and without it."""
    cells = json.loads((ROOT / "benchmarks" / "records" / "effects.json").read_text())["cells"]
    kept = [name for name in TABLES if name in BUNDLED or half(name.removesuffix("_wrong")) == "tuned"]
    found: dict[str, dict[str, list[float]]] = {}
    for problem in kept:
        plain = cells[f"{problem} / nothing"]
        for name in [key.split(" / ")[1] for key in cells if key.startswith(f"{problem} / ")]:
            for seed, one in cells[f"{problem} / {name}"].items():
                metric = "log_loss" if "log_loss" in one else "rmse"
                if name == "nothing" or not one.get(metric) or seed not in plain:
                    continue
                entry = found.setdefault(name, {"gain": [], "price": []})
                entry["gain"].append(math.log(plain[seed][metric] / one[metric]))
                entry["price"].append(one["seconds"] / max(plain[seed]["seconds"], 1e-3))
    known = {name: entry for name, entry in sorted(found.items()) if len(entry["gain"]) >= LEAST_CELLS}
    return {
        name: {"gain": round(fmean(entry["gain"]), 4), "price": round(fmean(entry["price"]), 2), **beside}
        for name, entry in known.items()
        if name not in ("WeightDecay", "Dropout") and (beside := joins(name))
    }


def joins(name: str) -> dict[str, Any]:
    """Return for which tasks a technique works on the tabular net, and which of the usual two it cannot stand beside.

    It is tried: attached, and one step taken. Empty where it works for no task.
    """
    tasks: dict[str, list[str]] = {}
    for task in ("binary", "regression"):
        for left_out in ([], ["WeightDecay"], ["Dropout"]):
            try:
                step(name, task, left_out)
            except TemperanceError:
                continue
            tasks[task] = left_out
            break
    if not tasks:
        return {}
    return {"tasks": sorted(tasks), "instead_of": next(iter(tasks.values()))}


def step(name: str, task: str, left_out: list[str]) -> None:
    """Take one training step with the technique beside the usual ones; raise what it raises."""
    usual = [one for one in (WeightDecay(0.1), Dropout(0.1)) if type(one).__name__ not in left_out]
    net = build("tabular", ModelInfo(3, (), 1 if task == "regression" else 2, task), 0, members=4, banks=2, width=8)
    optimizer = torch.optim.AdamW(net.parameters(), weight_decay=0.0)
    targets = torch.randn(8) if task == "regression" else torch.arange(8) % 2
    wanted = fold_targets(targets, torch.arange(8) % 2, net.bank_of)
    session = Recipe(*usual, techniques[name]()).attach(net, optimizer, loss=loss_for(task), steps=10, seed=0)
    inputs = (torch.randn(8, 3), torch.zeros(8, 0, dtype=torch.int64))
    session.step(Batch(inputs, wanted, index=torch.arange(8)))


if __name__ == "__main__":
    TARGET.write_text(json.dumps(gains(), indent=1) + "\n")
