"""The basic models side by side: out-of-fold and test losses, seconds, and what each adds to a mixture.

    python benchmarks/basics.py --data DIR --seeds 0,1 [--sets credit_g,car] [--models Boosting,LightGBM]
    python benchmarks/basics.py --summary

DIR has a folder per set with ``data.parquet`` and ``meta.json``. Only sets of the half "tuned" are read. Per set and
seed at most 1,000 rows train and at most 3,000 others test, drawn at random. Each model is cross-fitted over 5 folds,
then refitted on all training rows with what was chosen (``whole``), and its fold models are averaged (``bagged``).
"before" is boosting as it was until November 2026: per fold 15 % of the rows carved off to stop by, one setting.
Mixtures are convex weights that minimise the out-of-fold loss. One thread. Each line is appended to
``benchmarks/records/basics.jsonl``; ``--summary`` writes ``basics.json`` beside it, with geometric means of loss ratios
and 95 % intervals over sets (bootstrap, sets as units; seeds averaged before).
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).parent))
import numpy as np
from halves import half

HERE = Path(__file__).parent
LINES, RECORD = HERE / "records" / "basics.jsonl", HERE / "records" / "basics.json"
FOLDS, TRAIN, TEST = 5, 1000, 3000
COPIES = {"bank_marketing_csv"}
NOTE = (
    "A beginning: fewer than five sets of a kind have no interval and prove nothing. Seed 0 of abalone, adult and "
    "attrition ran before boosting learnt to stop at a gain below 1e-4."
)
MIXTURES = {
    "linear+boosting": ("Linear", "Boosting"),
    "linear+boosting+trees": ("Linear", "Boosting", "ExtraTrees"),
    "linear+boosting+lightgbm+catboost": ("Linear", "Boosting", "LightGBM", "CatBoost"),
    "all": ("Linear", "Boosting", "LightGBM", "CatBoost", "ExtraTrees"),
}


def tuned(data: Path) -> list[str]:
    """Return tables of the tuned half, without copies of one another, that hold at most 100 columns and 10 classes."""
    found = []
    for folder in sorted(data.iterdir()):
        if not (folder / "data.parquet").exists() or half(folder.name) != "tuned" or folder.name in COPIES:
            continue
        meta = json.loads((folder / "meta.json").read_text())
        if meta.get("family", "").startswith("tab") and meta["features"] <= 100 and (meta.get("classes") or 2) <= 10:
            found.append(folder.name)
    return found


def cut(data: Path, name: str, seed: int) -> tuple[Any, Any, Any]:
    """Return (schema, training sample, test sample)."""
    import polars as pl

    from temperance.data import read
    from temperance.models.basic import Sample

    meta = json.loads((data / name / "meta.json").read_text())
    frame = pl.read_parquet(data / name / "data.parquet").drop(meta.get("split_columns") or [], strict=False)
    frame = frame.drop_nulls(meta["target"])
    frame = frame[np.sort(np.random.default_rng(seed).permutation(len(frame))[: TRAIN + TEST])]
    table = read((frame.drop(meta["target"]), frame[meta["target"]]), task=meta["task"]).table
    order = np.random.default_rng(seed + 1).permutation(len(table))
    count = min(TRAIN, int(0.6 * len(table)))
    whole = Sample(table.rows, table.target)
    train, test = whole.take(np.sort(order[:count])), whole.take(np.sort(order[count:]))
    return table.schema, train, test


def folds_of(target: np.ndarray, task: str, seed: int) -> list[tuple[np.ndarray, np.ndarray]]:
    from sklearn.model_selection import KFold, StratifiedKFold

    if task == "regression" or np.bincount(target)[np.unique(target)].min() < FOLDS:
        return list(KFold(FOLDS, shuffle=True, random_state=seed).split(target))
    return list(StratifiedKFold(FOLDS, shuffle=True, random_state=seed).split(target, target))


def losses(answer: np.ndarray, truth: np.ndarray, task: str) -> float:
    if task == "regression":
        return float(np.sqrt(np.mean((answer - truth) ** 2)))
    return float(-np.log(np.maximum(answer[np.arange(len(truth)), truth], 1e-12)).mean())


def before(schema: Any, train: Any, folds: Any, seed: int) -> tuple[np.ndarray, Any, list[Any]]:
    """Return out-of-fold answers, the refit and the fold models of boosting as it was."""
    from temperance.models.basic import Boosting

    old = Boosting(0.05, 1000, leaves=31, least_rows=20, l2=0.0, features=1.0, tries=1)
    members, answers = [], None
    for rows, held in folds:
        order = np.random.default_rng(seed).permutation(rows)
        count = max(1, round(0.15 * len(rows)))
        inner, outer = train.take(order[count:]), train.take(order[:count])
        members.append(old.fit(inner.rows, inner.target, schema=schema, valid=outer, seed=seed))
        answer = members[-1].predict(train.rows.take(held))
        answers = np.full((train.size, *answer.shape[1:]), np.nan) if answers is None else answers
        answers[held] = answer
    trees = int(np.median([m.settings["trees"] for m in members]))
    chosen = {**members[0].rebuilt, "most_trees": trees}
    return answers, Boosting(**chosen).fit(train.rows, train.target, schema=schema, valid=None, seed=seed), members


def measured(name: str, schema: Any, train: Any, test: Any, folds: Any, seed: int) -> tuple[dict[str, Any], Any, Any]:
    """Return one model's figures, its out-of-fold answers and its refit's answers on the test rows."""
    from temperance.models.basic import BASIC, cross_fit

    task, began = schema.target.task, time.process_time()
    if name == "before":
        answers, whole, members = before(schema, train, folds, seed)
        chosen, fold_seconds = whole.rebuilt, time.process_time() - began
    else:
        found = cross_fit(BASIC[name](), train, folds, schema=schema, seed=seed)
        answers, members, chosen, fold_seconds = found.answers, found.members, found.chosen, time.process_time() - began
        whole = BASIC[name](**chosen).fit(train.rows, train.target, schema=schema, valid=None, seed=seed)
    spent = time.process_time() - began
    told = whole.predict(test.rows)
    bagged = np.mean([member.predict(test.rows) for member in members], axis=0)
    row = {
        "held": losses(answers, train.target, task), "whole": losses(told, test.target, task),
        "bagged": losses(bagged, test.target, task), "cpu_folds": fold_seconds, "cpu_all": spent,
        "chosen": chosen,
    }  # fmt: skip
    return row, answers, told


def shape_of(schema: Any) -> tuple[int, int]:
    return len(schema.columns), schema.target.outputs


def weights_of(answers: list[np.ndarray], truth: np.ndarray, task: str) -> np.ndarray:
    """Return convex weights that minimise the out-of-fold loss."""
    from scipy.optimize import minimize

    if task == "regression":
        parts = np.stack(answers)

        def loss(w: np.ndarray) -> float:
            return float(np.mean((w @ parts - truth) ** 2)) / float(np.var(truth))
    else:
        parts = np.stack([a[np.arange(len(truth)), truth] for a in answers])

        def loss(w: np.ndarray) -> float:
            return float(-np.log(np.maximum(w @ parts, 1e-12)).mean())

    start = np.full(len(answers), 1 / len(answers))
    total = {"type": "eq", "fun": lambda w: w.sum() - 1}
    found = minimize(loss, start, bounds=[(0, 1)] * len(answers), constraints=[total], method="SLSQP")
    w = np.maximum(found.x if found.success else start, 0)
    return w / w.sum()


def cell(data: Path, name: str, seed: int, models: list[str]) -> dict[str, Any]:
    """Measure all models on one set and seed."""
    schema, train, test = cut(data, name, seed)
    task = schema.target.task
    folds = folds_of(train.target, task, seed)
    rows, held, told = {}, {}, {}
    for model in models:
        rows[model], held[model], told[model] = measured(model, schema, train, test, folds, seed)
    mixed = {}
    for label, names in MIXTURES.items():
        if set(names) <= set(models):
            w = weights_of([held[n] for n in names], train.target, task)
            answer = np.tensordot(w, np.stack([told[n] for n in names]), 1)
            mixed[label] = {"whole": losses(answer, test.target, task), "weights": w.round(3).tolist()}
    columns, outputs = shape_of(schema)
    return {
        "set": name, "seed": seed, "task": task, "rows": train.size, "test": test.size, "columns": columns,
        "outputs": outputs, "models": rows, "mixtures": mixed,
    }  # fmt: skip


def ratios(cells: list[dict[str, Any]], top: str, bottom: str, kind: str = "whole") -> dict[str, Any]:
    """Return the geometric mean of top's test loss over bottom's, with its interval and the count of sets won."""
    logs: dict[str, list[float]] = {}
    for one in cells:
        known = {**one["models"], **one["mixtures"]}
        if top in known and bottom in known:
            logs.setdefault(one["set"], []).append(np.log(known[top][kind] / known[bottom]["whole"]))
    if not logs:
        return {}
    means = np.array([np.mean(values) for values in logs.values()])
    draws = np.random.default_rng(0).choice(means, (4000, len(means))).mean(axis=1)
    low, high = np.exp(np.quantile(draws, [0.025, 0.975]))
    interval = {"low": round(float(low), 4), "high": round(float(high), 4)} if len(means) >= 5 else {}
    return {
        "ratio": round(float(np.exp(means.mean())), 4), **interval,
        "sets": len(means), "won": int((means < -0.002).sum()), "lost": int((means > 0.002).sum()),
        "worst": round(float(np.exp(means.max())), 3),
    }  # fmt: skip


def summary() -> dict[str, Any]:
    """Compute the record from the lines."""
    from temperance.models.basic import BASIC

    cells = [json.loads(line) for line in LINES.read_text().splitlines()]
    found: dict[str, Any] = {
        "half": "tuned",
        "note": NOTE,
        "cells": len(cells),
        "seeds": sorted({c["seed"] for c in cells}),
    }
    for kind in ("log loss", "rmse"):
        some = [c for c in cells if (c["task"] == "regression") == (kind == "rmse")]
        names = sorted({n for c in some for n in c["models"]} - {"before"})
        pairs = {f"{n} / before": ratios(some, n, "before") for n in names}
        pairs |= {f"{n} bagged / {n} whole": ratios(some, n, n, "bagged") for n in names}
        pairs |= {f"{m} / Boosting": ratios(some, m, "Boosting") for m in MIXTURES}
        pairs |= {f"{m} / linear+boosting": ratios(some, m, "linear+boosting") for m in list(MIXTURES)[1:]}
        small = [c for c in some if c["rows"] <= 500]
        pairs["Linear / Boosting, up to 500 rows"] = ratios(small, "Linear", "Boosting")
        pairs["Linear / Boosting, more rows"] = ratios([c for c in some if c["rows"] > 500], "Linear", "Boosting")
        found[kind] = {name: row for name, row in pairs.items() if row}
    spent: dict[str, list[float]] = {}
    off: dict[str, list[float]] = {}
    for one in cells:
        for name, row in one["models"].items():
            spent.setdefault(name, []).append(row["cpu_folds"])
            if name != "before":
                predicted = FOLDS * BASIC[name].seconds(one["rows"] * 4 // 5, one["columns"], one["outputs"])
                off.setdefault(name, []).append(row["cpu_folds"] / predicted)
    found["cpu seconds of 5 folds"] = {name: spread(values) for name, values in spent.items()}
    found["measured / predicted seconds"] = {name: spread(values) for name, values in off.items()}
    return found


def spread(values: list[float]) -> dict[str, float]:
    low, middle, high = np.quantile(values, [0.1, 0.5, 0.9])
    return {"tenth": round(float(low), 2), "median": round(float(middle), 2), "ninetieth": round(float(high), 2)}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path)
    parser.add_argument("--sets", default="")
    parser.add_argument("--seeds", default="0")
    parser.add_argument("--models", default="before,Linear,Boosting,LightGBM,CatBoost,ExtraTrees")
    parser.add_argument("--out", type=Path, default=LINES)
    parser.add_argument("--summary", action="store_true")
    args = parser.parse_args()
    if args.summary:
        packages = ("scikit-learn", "numpy", "lightgbm", "catboost")
        commit = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, cwd=HERE, check=True)
        told = {
            "command": "python benchmarks/basics.py --data DIR --seeds 0,1", "commit": commit.stdout.strip(),
            "versions": {name: version(name) for name in packages}, "python": platform.python_version(), **summary(),
        }  # fmt: skip
        RECORD.write_text(json.dumps(told, indent=1) + "\n")
        return
    done = set()
    if args.out.exists():
        done = {(row["set"], row["seed"]) for row in map(json.loads, args.out.read_text().splitlines())}
    for seed in map(int, args.seeds.split(",")):
        for name in args.sets.split(",") if args.sets else tuned(args.data):
            if half(name) != "tuned" or (name, seed) in done:
                continue
            row = cell(args.data, name, seed, args.models.split(","))
            with args.out.open("a") as file:
                file.write(json.dumps(row) + "\n")
            told = {n: (round(m["whole"], 4), round(m["cpu_folds"], 1)) for n, m in row["models"].items()}
            print(name, seed, told, flush=True)


if __name__ == "__main__":
    main()
