"""Counts: a study with ``--task counts`` against histogram gradient boosting on the Poisson loss.

    python benchmarks/counts.py --data DIR --budget 60s --seeds 0
    python benchmarks/counts.py --data DIR --budget 1run --seeds 0
    python benchmarks/counts.py --summary

Targets that count something: rentals in an hour (bike_sharing_hour, rows drawn at random: no forecast), rings
(abalone), days of absence (student_portuguese). At most 3,000 rows train and at most 3,000 others test. The study
runs as a user runs it, with the test rows as ``--test``. Boosting (scikit-learn's
``HistGradientBoostingRegressor(loss="poisson")``) runs as it comes, and with learning rate, leaves and rounds chosen
by 5 folds of the same training rows. Scored by the mean Poisson deviance on the test rows, with the paired difference
per row. ``nets``: best net and boosting of the study itself, by the out-of-fold deviance that the study chose by, so
it is a little too good for both. Records say the load: a budget of time trains less on a busy machine; ``1run`` is
all basic models and one folded run of nets, however long.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
import numpy as np
import polars as pl
from halves import half

HERE = Path(__file__).parent
LINES, RECORD = HERE / "records" / "counts.jsonl", HERE / "records" / "counts.json"
TARGETS = {"bike_sharing_hour": "cnt", "abalone": "Class_Rings", "student_portuguese": "absences"}
TRAIN = TEST = 3000


def cut(data: Path, name: str, seed: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return training and test rows, drawn at random."""
    frame = pl.read_parquet(data / name / "data.parquet").drop_nulls(TARGETS[name])
    order = np.random.default_rng(seed).permutation(len(frame))
    count = min(TRAIN, int(0.6 * len(frame)))
    return frame[np.sort(order[:count])], frame[np.sort(order[count : count + TEST])]


def study(train: pl.DataFrame, test: pl.DataFrame, target: str, budget: str, seed: int) -> dict[str, Any]:
    """Run a study and return what it says of the test rows, with its answers for them."""
    with tempfile.TemporaryDirectory() as scratch:
        place = Path(scratch)
        train.write_csv(place / "train.csv")
        test.write_csv(place / "test.csv")
        out = place / "study"
        said = ["study", "train.csv", "--test", "test.csv", "--target", target, "--task", "counts", "--budget"]
        said += [budget, "--seed", str(seed), "--out", "study", "--quiet"]
        began = time.monotonic()
        subprocess.run([sys.executable, "-m", "temperance", *said], cwd=place, check=True)
        seconds = time.monotonic() - began
        document = json.loads((out / "study.json").read_text())
        told = ["predict", "study/bundle", "test.csv", "--out", "told.csv", "--quiet"]
        subprocess.run([sys.executable, "-m", "temperance", *told], cwd=place, check=True)
        answers = pl.read_csv(place / "told.csv")["prediction"].to_numpy()
        winner = document["winner"]
        with (out / "leaderboard.csv").open() as lines:
            rows = [row for row in csv.DictReader(lines) if row["status"] == "done" and row["poisson_deviance"]]
        best = {
            kind: min((float(r["poisson_deviance"]) for r in rows if test_of(r)), default=None)
            for kind, test_of in (
                ("net", lambda r: r["kind"] not in ("basic", "ensemble")),
                ("boosting", lambda r: r["model"] == "boosting"),
            )
        }
        name = next(t["name"] for t in document["trials"] if t["id"] == winner["trial"])
        return {"answers": answers, "winner": name, "measured": winner["test"]["poisson_deviance"], "nets": best,
                "seconds": round(seconds, 1)}  # fmt: skip


def matrices(train: pl.DataFrame, test: pl.DataFrame, target: str) -> tuple[np.ndarray, np.ndarray, list[bool]]:
    """Return inputs for boosting: numbers as they are, words as codes that the training rows define."""
    columns = [name for name in train.columns if name != target]
    words = [train[name].dtype in (pl.String, pl.Categorical, pl.Boolean) for name in columns]
    parts = []
    for frame in (train, test):
        made = []
        for name, is_word in zip(columns, words, strict=True):
            if not is_word:
                made.append(frame[name].cast(pl.Float64).to_numpy())
                continue
            known = {value: code for code, value in enumerate(train[name].cast(pl.String).unique().sort().to_list())}
            made.append(np.array([known.get(value, np.nan) for value in frame[name].cast(pl.String).to_list()], float))
        parts.append(np.stack(made, axis=1))
    few = [w and train[name].n_unique() <= 200 for name, w in zip(columns, words, strict=True)]
    return parts[0], parts[1], few


def boosting(train: pl.DataFrame, test: pl.DataFrame, target: str, seed: int) -> dict[str, np.ndarray]:
    """Return answers of Poisson boosting for the test rows: as it comes, and tuned on folds."""
    from sklearn.ensemble import HistGradientBoostingRegressor
    from sklearn.model_selection import GridSearchCV, KFold

    first, second, words = matrices(train, test, target)
    truth = train[target].cast(pl.Float64).to_numpy()
    plain = HistGradientBoostingRegressor(loss="poisson", categorical_features=words, random_state=seed)
    grid = {"learning_rate": [0.03, 0.1], "max_leaf_nodes": [8, 31], "max_iter": [100, 300]}
    folds = KFold(5, shuffle=True, random_state=seed)
    tuned = GridSearchCV(plain, grid, scoring="neg_mean_poisson_deviance", cv=folds).fit(first, truth)
    return {"as it comes": plain.fit(first, truth).predict(second), "tuned": tuned.predict(second)}


def deviance(truth: np.ndarray, mean: np.ndarray) -> np.ndarray:
    """Return 2 (t log(t / m) − t + m) per row; 0 log 0 is 0."""
    m = np.maximum(mean, 1e-9)
    return 2 * (np.where(truth > 0, truth * np.log(np.maximum(truth, 1e-300) / m), 0.0) - truth + m)


def cell(data: Path, name: str, budget: str, seed: int) -> dict[str, Any]:
    """Measure one set and seed."""
    target, load = TARGETS[name], os.getloadavg()[0]
    train, test = cut(data, name, seed)
    truth = test[target].cast(pl.Float64).to_numpy()
    ours = study(train, test, target, budget, seed)
    answers = {"study": ours.pop("answers"), **boosting(train, test, target, seed)}
    losses = {way: deviance(truth, told) for way, told in answers.items()}
    against = {}
    for way in ("as it comes", "tuned"):
        gap = losses["study"] - losses[way]
        half_width = 1.96 * gap.std(ddof=1) / np.sqrt(len(gap))
        against[way] = [round(float(x), 4) for x in (gap.mean(), gap.mean() - half_width, gap.mean() + half_width)]
    return {
        "set": name, "half": half(name), "target": target, "seed": seed, "budget": budget, "rows": len(train),
        "test": len(test), "load": [round(load, 1), round(os.getloadavg()[0], 1)], **ours,
        "deviance": {way: round(float(loss.mean()), 4) for way, loss in losses.items()},
        "study minus boosting": against,
    }  # fmt: skip


def summary() -> dict[str, Any]:
    """Return the record."""
    cells = [json.loads(line) for line in LINES.read_text().splitlines()]
    return {
        "command": "python benchmarks/counts.py --data DIR --budget 60s|1run --seeds 0",
        "note": "mean Poisson deviance on test rows, lower is better; differences with 95 % intervals over rows",
        "versions": {name: version(name) for name in ("torch", "numpy", "scikit-learn")},
        "python": platform.python_version(), "cores": os.cpu_count(),
        "commit": subprocess.check_output(["git", "rev-parse", "HEAD"], text=True, cwd=HERE).strip(),
        "cells": cells,
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path)
    parser.add_argument("--budget", default="60s")
    parser.add_argument("--seeds", default="0")
    parser.add_argument("--only", default="")
    parser.add_argument("--summary", action="store_true")
    args = parser.parse_args()
    for seed in [] if args.summary else map(int, args.seeds.split(",")):
        for name in args.only.split(",") if args.only else TARGETS:
            row = cell(args.data, name, args.budget, seed)
            with LINES.open("a") as out:
                out.write(json.dumps(row) + "\n")
            print(name, row["winner"], row["deviance"], row["study minus boosting"], flush=True)
    RECORD.write_text(json.dumps(summary(), indent=1) + "\n")


if __name__ == "__main__":
    main()
