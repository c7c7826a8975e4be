"""Forecasts: a study with ``--lags`` against what was last, the last season, and boosting on the same lags.

    python benchmarks/forecasts.py --data DIR --budget 60 --seeds 0
    python benchmarks/forecasts.py --summary

bike_sharing_hour (rentals in an hour) and beijing_pm25 (fine dust in an hour), one hour and a day ahead. The latest
20 % of the rows test. Lags are 1, 2, 3, 24 and 168 hours, for a day ahead 24, 48 and 168. Weather columns are inputs
at the moment that is forecast, as they stand in the files: a real forecast would have to forecast them too, so all
models are a little too good alike. ``last value``: the newest value that is known; ``last season``: the value a day
ago, or a week ago where that is better on the training rows. Boosting is scikit-learn's on the same columns: as it
comes, on the rows that the study develops on. Scored by RMSE and by MAE over the standard deviation of the test rows,
with the paired difference of squared errors over blocks of a day (neighbouring hours err alike). Records say the
load.
"""

from __future__ import annotations

import argparse
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
LINES, RECORD = HERE / "records" / "forecasts.jsonl", HERE / "records" / "forecasts.json"
LAGS = {1: (1, 2, 3, 24, 168), 24: (24, 48, 168)}
SETS = {"bike_sharing_hour": "cnt", "beijing_pm25": "pm2.5"}
DAY = 24


def frame_of(data: Path, name: str) -> tuple[pl.DataFrame, str]:
    """Return the rows in order, and the option that names their moment."""
    frame = pl.read_parquet(data / name / "data.parquet")
    if name == "beijing_pm25":
        return frame, "year+month+day+hour"
    hour = pl.col("hr").cast(pl.String).str.zfill(2)
    moment = (pl.col("dteday") + " " + hour + ":00").alias("moment")
    return frame.with_columns(moment).drop("dteday"), "moment"


def study(frame: pl.DataFrame, target: str, moment: str, horizon: int, budget: int, seed: int) -> dict[str, Any]:
    """Run a study; return its answers for its test rows with the rows as it saw them."""
    from temperance.data import load_roles
    from temperance.deployment import load
    from temperance.study.store import load_table

    with tempfile.TemporaryDirectory() as scratch:
        place = Path(scratch)
        frame.write_csv(place / "rows.csv")
        said = ["study", "rows.csv", "--target", target, "--task", "regression", "--time", moment, "--horizon"]
        said += [str(horizon), "--lags", ",".join(map(str, LAGS[horizon])), "--budget", f"{budget}s", "--seed"]
        said += [str(seed), "--out", "study", "--quiet"]
        began = time.monotonic()
        subprocess.run([sys.executable, "-m", "temperance", *said], cwd=place, check=True)
        seconds = time.monotonic() - began
        document = json.loads((place / "study" / "study.json").read_text())
        inner = place / "study" / "work"
        table, roles = load_table(inner / "table"), load_roles(inner / "roles.npz")
        told = load(place / "study/bundle", verify=False).predict(table.rows.take(roles.test))
        kept = [np.array(part) for part in (table.rows.numeric, table.rows.categorical, table.target)]
        names = [column.name for column in table.schema.numeric]
        name = next(t["name"] for t in document["trials"] if t["id"] == document["winner"]["trial"])
    return {"told": told, "winner": name, "seconds": round(seconds, 1), "inputs": kept, "names": names,
            "target": target, "train": np.sort(roles.refit), "test": np.array(roles.test)}  # fmt: skip


def rivals(ours: dict[str, Any], horizon: int, seed: int) -> dict[str, np.ndarray]:
    """Return the answers of the simple rules and of boosting on the study's own columns."""
    from sklearn.ensemble import HistGradientBoostingRegressor

    from temperance.records.layout import lag_name

    numeric, categorical, truth = ours["inputs"]
    train, test = ours["train"], ours["test"]
    lags = {lag: numeric[:, ours["names"].index(lag_name(ours["target"], lag))] for lag in LAGS[horizon]}
    filled = {lag: np.where(np.isfinite(values), values, truth[train].mean()) for lag, values in lags.items()}
    season = min(
        (lag for lag in lags if lag % DAY == 0), key=lambda lag: float(np.mean((filled[lag] - truth)[train] ** 2))
    )
    words = [False] * numeric.shape[1] + [True] * categorical.shape[1]
    inputs = np.concatenate([numeric, np.where(categorical < 0, np.nan, categorical)], axis=1)
    model = HistGradientBoostingRegressor(categorical_features=words, random_state=seed)
    return {
        "last value": filled[min(lags)][test],
        "last season": filled[season][test],
        "boosting": model.fit(inputs[train], truth[train]).predict(inputs[test]),
    }


def by_day(gap: np.ndarray) -> list[float]:
    """Return the mean of per-row differences with its 95 % interval, whole days as units."""
    days = np.array([part.mean() for part in np.array_split(gap, max(2, len(gap) // DAY))])
    half_width = 1.96 * days.std(ddof=1) / np.sqrt(len(days))
    return [round(float(x), 5) for x in (days.mean(), days.mean() - half_width, days.mean() + half_width)]


def cell(data: Path, name: str, horizon: int, budget: int, seed: int) -> dict[str, Any]:
    """Measure one set, horizon and seed."""
    load = os.getloadavg()[0]
    frame, moment = frame_of(data, name)
    ours = study(frame, SETS[name], moment, horizon, budget, seed)
    truth = ours["inputs"][2][ours["test"]]
    answers = {"study": np.asarray(ours["told"], dtype=float), **rivals(ours, horizon, seed)}
    spread = float(truth.std())
    squared = {way: ((told - truth) / spread) ** 2 for way, told in answers.items()}
    return {
        "set": name, "half": half(name), "horizon": horizon, "lags": list(LAGS[horizon]), "seed": seed,
        "budget": budget, "rows": len(ours["train"]), "test": len(truth), "winner": ours["winner"],
        "seconds": ours["seconds"], "load": [round(load, 1), round(os.getloadavg()[0], 1)],
        "rmse / sd": {way: round(float(np.sqrt(one.mean())), 4) for way, one in squared.items()},
        "mae / sd": {way: round(float(np.abs(told - truth).mean() / spread), 4) for way, told in answers.items()},
        "study minus rival, squared error": {
            way: by_day(squared["study"] - one) for way, one in squared.items() if way != "study"
        },
    }  # fmt: skip


def summary() -> dict[str, Any]:
    """Return the record."""
    return {
        "command": "python benchmarks/forecasts.py --data DIR --budget 60 --seeds 0",
        "note": "errors over the standard deviation of the test rows, lower is better; weather counts as known",
        "versions": {name: version(name) for name in ("torch", "numpy", "scikit-learn")},
        "python": platform.python_version(), "cores": os.cpu_count(),
        "commit": subprocess.check_output(["git", "rev-parse", "HEAD"], text=True, cwd=HERE).strip(),
        "cells": [json.loads(line) for line in LINES.read_text().splitlines()],
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path)
    parser.add_argument("--budget", type=int, default=60)
    parser.add_argument("--seeds", default="0")
    parser.add_argument("--only", default="")
    parser.add_argument("--horizons", default="1,24")
    parser.add_argument("--summary", action="store_true")
    args = parser.parse_args()
    for seed in [] if args.summary else map(int, args.seeds.split(",")):
        for name in args.only.split(",") if args.only else SETS:
            for horizon in map(int, args.horizons.split(",")):
                row = cell(args.data, name, horizon, args.budget, seed)
                with LINES.open("a") as out:
                    out.write(json.dumps(row) + "\n")
                print(name, horizon, row["winner"], row["rmse / sd"], flush=True)
    RECORD.write_text(json.dumps(summary(), indent=1) + "\n")


if __name__ == "__main__":
    main()
