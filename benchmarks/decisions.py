"""What costs and stated ranges are worth: cost saved by the decision, coverage and width of intervals.

    python benchmarks/decisions.py --data DIR --half tuned --seeds 0,1 [--cache DIR]
    python benchmarks/decisions.py --data DIR --half once --seeds 0,1
    python benchmarks/decisions.py --summary

DIR has a folder per set with ``data.parquet`` and ``meta.json``. Per set and seed at most 1,000 rows train and at most
3,000 others test. Boosting is cross-fitted over 5 folds and refitted on all training rows. Two classes: its
out-of-fold answers are calibrated and a decision is chosen on them for each of several prices of the second class
against the first; what a test row then costs is set beside the most probable class and the cheaper constant answer.
Rules that were compared on the half "tuned": the threshold of least cost on the held-out rows wherever it is cheaper
(``sure=0``), by 1, 2 or 3 standard errors, and the threshold that the costs state (``inf``). Numbers: intervals from
the out-of-fold residuals at 0.5, 0.8 and 0.9, of one width and of a width that follows the prediction. The half
"once" was looked at with what the first half had chosen. One thread. Lines go to ``records/decisions.jsonl``,
``--summary`` writes ``decisions.json``: means over sets with 95 % bootstrap intervals (sets as units).
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
from importlib.metadata import version
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
import numpy as np
from basics import COPIES, cut, folds_of
from halves import SEEN, half

HERE = Path(__file__).parent
LINES, RECORD = HERE / "records" / "decisions.jsonl", HERE / "records" / "decisions.json"
RATIOS = (1 / 20, 1 / 5, 5.0, 20.0)
SURE = (0.0, 1.0, 2.0, 3.0, float("inf"))
LEVELS = (0.5, 0.8, 0.9)
MOST_ROWS = 200_000


def sets(data: Path, which: str) -> list[tuple[str, str]]:
    """Return (name, task) of tables of a half with two classes or a number, and at most 60 columns."""
    found = []
    for folder in sorted(data.iterdir()):
        if not (folder / "data.parquet").exists() or half(folder.name) != which or folder.name in COPIES:
            continue
        meta = json.loads((folder / "meta.json").read_text())
        known = meta.get("task") == "regression" or meta.get("classes") == 2
        if meta.get("family", "").startswith("tab") and known and meta["features"] <= 60:
            found.append((folder.name, meta["task"]))
    return found


def answered(data: Path, name: str, seed: int, cache: Path | None) -> dict[str, np.ndarray]:
    """Return out-of-fold answers and truths of the training rows, and answers and truths of the test rows."""
    kept = None if cache is None else cache / f"{name}_{seed}.npz"
    if kept is not None and kept.exists():
        with np.load(kept) as found:
            return dict(found)
    from temperance.models.basic import BASIC, cross_fit

    schema, train, test = cut(data, name, seed)
    folds = folds_of(train.target, schema.target.task, seed)
    found = cross_fit(BASIC["Boosting"](), train, folds, schema=schema, seed=seed)
    whole = BASIC["Boosting"](**found.chosen).fit(train.rows, train.target, schema=schema, valid=None, seed=seed)
    row = {"held": found.answers, "truth": train.target, "told": whole.predict(test.rows), "test": test.target}
    if kept is not None:
        kept.parent.mkdir(parents=True, exist_ok=True)
        np.savez(kept, **row)
    return row


def costs(one: dict[str, np.ndarray]) -> list[dict[str, Any]]:
    """Return mean costs of a test row per price and rule."""
    from temperance.evaluation import calibrate, decide
    from temperance.records.decision import Costs

    truth, test = one["truth"], one["test"]
    found = calibrate(one["held"], truth)
    apart = found.calibrator.apply(one["held"]) if found.held_out is None else found.held_out
    told, rows = found.calibrator.apply(one["told"]), []
    for ratio in RATIOS:
        stated = Costs(("0", "1"), ((0.0, 1.0), (ratio, 0.0)))
        paid = {}
        for sure in SURE:
            answer = decide(apart, truth, stated, sure=sure).answers(told)
            paid[f"{sure:g}"] = float(stated.of_rows(test, answer).mean())
        always = [float(stated.of_rows(test, np.full(len(test), k)).mean()) for k in (0, 1)]
        argmax = float(stated.of_rows(test, told.argmax(axis=1)).mean())
        rows.append({"ratio": ratio, "paid": paid, "argmax": argmax, "always": always})
    return rows


def ranges(one: dict[str, np.ndarray], seed: int) -> list[dict[str, Any]]:
    """Return coverage, width and interval score of ranges on the test rows, per level and kind of width."""
    from temperance.records.stated_range import StatedRange

    held, test, told, rows = one["held"], one["test"], one["told"], []
    spread = float(np.std(one["truth"]))
    fifths = np.array_split(np.argsort(told, kind="stable"), 5)
    for level in LEVELS:
        for kind, values in (("plain", None), ("follows", held)):
            made = StatedRange.of(one["truth"] - held, values, level=level, seed=seed)
            low, high = made.bounds(told)
            inside = (test >= low) & (test <= high)
            miss = np.maximum(low - test, 0) + np.maximum(test - high, 0)
            score = high - low + 2 / (1 - level) * miss
            worst = min(float(inside[part].mean()) for part in fifths)
            rows.append({
                "level": level, "kind": kind, "scaled": made.scale is not None, "coverage": float(inside.mean()),
                "worst_fifth": worst, "width": float((high - low).mean()) / spread,
                "score": float(score.mean()) / spread,
            })  # fmt: skip
    return rows


def cell(data: Path, name: str, task: str, seed: int, cache: Path | None) -> dict[str, Any]:
    """Measure one set and seed."""
    one = answered(data, name, seed, cache)
    row = {"set": name, "half": half(name), "seed": seed, "task": task, "rows": len(one["truth"])}
    row["test"] = len(one["test"])
    return {**row, "costs": costs(one)} if task != "regression" else {**row, "ranges": ranges(one, seed)}


def mean_of(values: dict[str, list[float]]) -> dict[str, Any]:
    """Return the mean over sets (seeds averaged before) with its bootstrap interval."""
    means = np.array([np.mean(v) for v in values.values()])
    draws = np.random.default_rng(0).choice(means, (4000, len(means))).mean(axis=1)
    low, high = np.quantile(draws, [0.025, 0.975])
    return {"mean": round(float(means.mean()), 4), "low": round(float(low), 4), "high": round(float(high), 4),
            "sets": len(means), "above_0": int((means > 0).sum()), "below_0": int((means < 0).sum()),
            "worst": round(float(means.min()), 4)}  # fmt: skip


def saved(cells: list[dict[str, Any]]) -> dict[str, Any]:
    """Return per rule the share of the cost that is saved against argmax and against the better constant answer."""
    out: dict[str, Any] = {}
    for rule in [f"{s:g}" for s in SURE]:
        against: dict[str, dict[str, list[float]]] = {"argmax": {}, "constant": {}}
        for one in cells:
            for row in one["costs"]:
                paid = row["paid"][rule]
                for key, other in (("argmax", row["argmax"]), ("constant", min(row["always"]))):
                    against[key].setdefault(one["set"], []).append((other - paid) / max(other, paid, 1e-12))
        out[f"sure={rule}"] = {f"share saved against {k}": mean_of(v) for k, v in against.items() if v}
    return out


def held(cells: list[dict[str, Any]]) -> dict[str, Any]:
    """Return coverage per level and kind, of all rows and of the worst fifth of the prediction, and what is saved."""
    out: dict[str, Any] = {}
    for level in LEVELS:
        kept: dict[str, dict[str, list[float]]] = {}
        for one in cells:
            rows = {row["kind"]: row for row in one["ranges"] if row["level"] == level}
            for kind, row in rows.items():
                kept.setdefault(f"{kind}: coverage", {}).setdefault(one["set"], []).append(row["coverage"])
                kept.setdefault(f"{kind}: worst fifth", {}).setdefault(one["set"], []).append(row["worst_fifth"])
            for what in ("score", "width"):
                gain = 1 - rows["follows"][what] / max(rows["plain"][what], 1e-12)
                kept.setdefault(f"share of {what} saved by a width that follows", {}).setdefault(one["set"], []).append(
                    gain
                )
            kept.setdefault("share of cells where it follows", {}).setdefault(one["set"], []).append(
                rows["follows"]["scaled"]
            )
        out[f"level {level}"] = {name: mean_of(values) for name, values in kept.items()}
    return out


def summary() -> dict[str, Any]:
    cells = [json.loads(line) for line in LINES.read_text().splitlines()]
    found: dict[str, Any] = {
        "sure in use": 3.0,
        "seen before": sorted({c["set"] for c in cells} & SEEN),
        "note": "credit_g was also run once as an example while the report was written; nothing was set by it.",
    }
    for which in ("tuned", "once"):
        some = [c for c in cells if c["half"] == which and "costs" in c]
        if some:
            found[f"costs, half {which}"] = saved(some)
        some = [c for c in cells if c["half"] == which and "ranges" in c]
        if some:
            found[f"ranges, half {which}"] = held(some)
    return found


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path)
    parser.add_argument("--half", default="tuned", choices=("tuned", "once"))
    parser.add_argument("--seeds", default="0")
    parser.add_argument("--cache", type=Path)
    parser.add_argument("--summary", action="store_true")
    args = parser.parse_args()
    if args.summary:
        commit = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, cwd=HERE, check=True)
        told = {
            "command": "python benchmarks/decisions.py --data DIR --half tuned --seeds 0,1, then --half once",
            "commit": commit.stdout.strip(), "python": platform.python_version(),
            "versions": {name: version(name) for name in ("scikit-learn", "numpy")}, **summary(),
        }  # fmt: skip
        RECORD.write_text(json.dumps(told, indent=1) + "\n")
        return
    done = set()
    if LINES.exists():
        done = {(row["set"], row["seed"]) for row in map(json.loads, LINES.read_text().splitlines())}
    for seed in map(int, args.seeds.split(",")):
        for name, task in sets(args.data, args.half):
            if (name, seed) not in done:
                row = cell(args.data, name, task, seed, args.cache)
                with LINES.open("a") as file:
                    file.write(json.dumps(row) + "\n")


if __name__ == "__main__":
    main()
