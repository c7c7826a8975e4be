"""A single net: one run of the default rule beside the best of 20 static trials, and each rule that moves strengths.

    python -m benchmarks.single_net --data DIR --half tuned|once [--trials 20] [--seeds 3] [--only TASK ...]

Rows: 384 to learn from, 128 held out with labels as wrong as those; the test rows have true labels. All runs of a
cell share split and wrong labels; all but the trials share first weights and order of batches. The rate is constant for
even seeds and falls by a cosine for odd ones. Trials draw dropout 0–0.6, decay 1e-5–1, mixup 1e-3–1, smoothing 0–0.2.
The best trial is the one with the lowest held-out loss, at its last weights, or stopped at its own best reading;
``hindsight`` is the trial with the best figure on the test rows, so it has luck in it. Rules were chosen on the tuned
half; the half "once" was run once. The record is written after each cell; what it holds is skipped.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import subprocess
import time
from pathlib import Path
from statistics import mean, median
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch
from benchmarks.single_net.tasks import TASKS, Data, Task, data
from benchmarks.single_net.train import RULES, Run, default, drawn, fit, one_call, served

from temperance import EMA, Recipe

RECORD = Path(__file__).parent.parent / "records" / "single_net"
WRONG = (0.0, 0.2, 0.4)
MOVED = ("gap", "look ahead", "held-out gradient")  # at the end, on the half "once"
TRIED = ("look ahead", "look ahead, equal", "forked", "forked, equal", "back and stronger", "back, equal")


def cell(task: Task, folder: Path, wrong: float, seed: int, trials: int) -> dict[str, Any]:
    """Return all figures of one task at one share of wrong labels."""
    rows = data(task, folder, wrong, seed)
    made: dict[str, Any] = {"task": task.name, "family": task.family, "wrong": wrong, "seed": seed, "runs": {}}
    for name, recipe, rule in (
        ("plain", Recipe(), "constant"),
        ("static", default(), "constant"),
        *((rule, default(rule), rule) for rule in (MOVED if task.half == "once" else TRIED)),
    ):
        run, seconds = fit(task, rows, seed, recipe, rule)
        made["runs"][name] = {"served": served(run), "seconds": seconds, "epochs": task.epochs + run.extra}
    for name, recipe, select in (
        ("one call", default(), "average"),
        ("one call, with EMA", Recipe(*default().regularizers, EMA()), "average"),
    ):
        made["runs"][name] = one_call(task, rows, seed, recipe, select)
    made["trials"] = [trial(task, rows, seed, number) for number in range(trials)]
    return made


def trial(task: Task, rows: Data, seed: int, number: int) -> dict[str, Any]:
    """Return one random static recipe at its last weights and at its best reading."""
    recipe = drawn(seed, number)
    run, seconds = fit(task, rows, seed, recipe, noise=number + 1)
    at = min(range(len(run.losses)), key=run.losses.__getitem__)
    return {"recipe": repr(recipe), "seconds": seconds, "last": figures(run, -1), "best": figures(run, at)}


def figures(run: Run, at: int) -> dict[str, float]:
    loss, accuracy = run.test(run.points[at])
    return {"held": run.losses[at], "loss": loss, "accuracy": accuracy}


def pick(found: dict[str, Any], name: str) -> dict[str, float]:
    """Return the figures of a way by its name in the summary."""
    if name in found["runs"]:
        return found["runs"][name]["served"]["last"]
    kind, _, at = name.rpartition(", ")
    if kind == "trials":
        way, _, which = at.partition(" ")
        rows = [one[way] for one in found["trials"]]
        if which == "hindsight":
            return {"loss": min(r["loss"] for r in rows), "accuracy": max(r["accuracy"] for r in rows)}
        if which == "median":
            return {k: median(r[k] for r in rows) for k in ("loss", "accuracy")}
        return min(rows, key=lambda r: r["held"])
    return found["runs"][kind]["served"][at]


def interval(values: list[float]) -> list[float]:
    """Return mean and 95 % percentile bootstrap over cells."""
    chance = np.random.default_rng(0)
    array = np.asarray(values)
    means = array[chance.integers(len(array), size=(2000, len(array)))].mean(1)
    return [float(array.mean()), *(float(q) for q in np.quantile(means, [0.025, 0.975]))]


def summary(cells: list[dict[str, Any]], base: str) -> dict[str, Any]:
    """Return, per way, test loss as a ratio to ``base`` and accuracy in points beyond it, with intervals over cells."""
    moved = [name for name in cells[0]["runs"] if name in RULES]
    names = ["plain", "static", *(f"static, {n}" for n in ("best", "growing", "top 5", "mean of 6")), *moved]
    names += [f"{n}, {at}" for n in moved for at in ("best", "growing")]
    names += ["one call", "one call, with EMA"]
    if cells[0]["trials"]:
        names += [f"trials, {at}{which}" for at in ("last", "best") for which in ("", " median", " hindsight")]
    table = {}
    for name in names:
        pairs = [(pick(c, name), pick(c, base)) for c in cells]
        ratio = interval([math.log(max(a["loss"], 1e-6) / max(b["loss"], 1e-6)) for a, b in pairs])
        points = interval([100 * (a["accuracy"] - b["accuracy"]) for a, b in pairs])
        wins = sum(a["loss"] < b["loss"] for a, b in pairs)
        table[name] = {
            "loss_ratio": [math.exp(v) for v in ratio],
            "points": points,
            "better": wins,
            "cells": len(pairs),
        }
        if name in cells[0]["runs"]:
            table[name]["seconds_ratio"] = mean(
                c["runs"][name]["seconds"] / c["runs"]["static"]["seconds"] for c in cells
            )
    return table


def groups(cells: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """Return the cells as a whole, by family, by share of wrong labels, and by schedule."""
    found = {"all": cells}
    for c in cells:
        for key in (c["family"], f"wrong {c['wrong']:g}", "cosine" if c["seed"] % 2 else "constant rate"):
            found.setdefault(key, []).append(c)
    return found


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--data", type=Path, required=True)
    asked.add_argument("--half", choices=("tuned", "once"), required=True)
    asked.add_argument("--trials", type=int, default=20)
    asked.add_argument("--seeds", type=int, default=3)
    asked.add_argument("--only", nargs="*", default=None)
    given = asked.parse_args()
    torch.set_num_threads(1)
    path = RECORD / f"{given.half}.json"
    cells = json.loads(path.read_text())["cells"] if path.exists() else []
    done = {(c["task"], c["wrong"], c["seed"]) for c in cells}
    tasks = [t for t in TASKS if t.half == given.half and (given.only is None or t.name in given.only)]
    for seed in range(given.seeds):
        for task in tasks:
            for wrong in WRONG:
                if (task.name, wrong, seed) in done:
                    continue
                started = time.process_time()
                cells.append(cell(task, given.data, wrong, seed, given.trials))
                print(task.name, wrong, seed, f"{time.process_time() - started:.0f} s", flush=True)
                write(path, given, cells)


def write(path: Path, given: argparse.Namespace, cells: list[dict[str, Any]]) -> None:
    base = "trials, last" if cells[0]["trials"] else "static"
    commit = subprocess.run(["git", "describe", "--always", "--dirty"], capture_output=True, text=True, check=True)
    record = {
        "command": f"python -m benchmarks.single_net --half {given.half} --trials {given.trials} --seeds {given.seeds}",
        "commit": commit.stdout.strip(),
        "versions": {"torch": torch.__version__, "numpy": np.__version__, "python": platform.python_version()},
        "half": given.half,
        "rules": sorted(RULES),
        "base": base,
        "summary": {name: summary(group, base) for name, group in groups(cells).items()},
        "cells": cells,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(rounded(record), indent=1) + "\n")


def rounded(value: Any) -> Any:
    """Return the record with five significant digits, so that it stays small."""
    if isinstance(value, dict):
        return {k: rounded(v) for k, v in value.items()}
    if isinstance(value, list):
        return [rounded(v) for v in value]
    return float(f"{value:.5g}") if isinstance(value, float) else value


if __name__ == "__main__":
    main()
