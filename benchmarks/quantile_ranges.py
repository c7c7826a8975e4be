"""Ranges by quantiles against ranges by residuals: a net and boosting, each trained both ways, on the same folds.

    python benchmarks/quantile_ranges.py --data DIR --half tuned --seeds 0
    python benchmarks/quantile_ranges.py --data DIR --half once --seeds 0
    python benchmarks/quantile_ranges.py --summary

DIR has a folder per set with ``data.parquet`` and ``meta.json``. Per set with a number as target and seed at most 1,000
rows train and at most 3,000 others test; five folds.

``net residuals``: the study's table net in one folded training on squared error, then ``StatedRange`` on its
out-of-fold answers, which is what a study ships. ``net quantiles``: the same net and training on the pinball loss of
four quantiles, the ends of 0.8 and 0.9; the outputs cannot cross (a middle, and gaps of softplus to either side); the
mean over members. Then conformalized quantile regression (Romano, Patterson and Candes 2019, arXiv 1905.03222): the
ends move by the ⌈(n + 1)·a⌉-th smallest of max(low − y, y − high) over the rows that the answering members did not
learn.
``net chosen``: quantiles where the interval score of the held-out rows gains by more than two standard errors.
``boosting residuals`` and ``boosting quantiles``: the same with histogram gradient boosting, one model for each end.

Scored on the test rows: share inside, mean width in standard deviations of the target, and the interval score (Gneiting
and Raftery 2007, equation 43) in the same unit, which charges width and misses at once. The half "once" was looked at
after everything was settled. One thread. Lines go to ``records/quantile_ranges.jsonl``, ``--summary`` writes
``quantile_ranges.json``.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import subprocess
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
import numpy as np
from basics import COPIES, cut, folds_of
from halves import SEEN, half

HERE = Path(__file__).parent
LINES, RECORD = HERE / "records" / "quantile_ranges.jsonl", HERE / "records" / "quantile_ranges.json"
LEVELS = (0.8, 0.9)
QUANTILES = (0.05, 0.1, 0.9, 0.95)
SURE = 2.0  # standard errors by which quantiles must win on the held-out rows, as in StatedRange
ENDS = {0.8: (1, 2), 0.9: (0, 3)}
WAYS = ("net residuals", "net quantiles", "boosting residuals", "boosting quantiles")
CHOSEN = "net chosen"


def sets(data: Path, which: str) -> list[str]:
    """Return tables of a half with a number as target and at most 60 columns, counts of days and copies left out."""
    found = []
    for folder in sorted(data.iterdir()):
        if not (folder / "data.parquet").exists() or half(folder.name) != which or folder.name in COPIES:
            continue
        meta = json.loads((folder / "meta.json").read_text())
        if meta.get("family", "").startswith("tab") and meta.get("task") == "regression" and meta["features"] <= 60:
            found.append(folder.name)
    return found


def pinball(outputs: Any, targets: Any) -> Any:
    """Return the pinball loss per row of (b, k, q) rising quantiles; targets (b, k), NaN where a member leaves out."""
    import torch

    levels = torch.tensor(QUANTILES, dtype=outputs.dtype)
    wanted = targets if targets.ndim == 2 else targets.unsqueeze(1)
    kept = ~wanted.isnan()
    gap = torch.where(kept, wanted, torch.zeros_like(wanted)).unsqueeze(-1) - rising(outputs)
    losses = torch.maximum(levels * gap, (levels - 1) * gap).mean(dim=-1)
    share = kept.to(losses.dtype)
    return (losses * share).sum(dim=1) / share.sum(dim=1).clamp_min(1.0)


def rising(outputs: Any) -> Any:
    """Return quantiles that rise along the last axis: a middle, and gaps of softplus to either side of it."""
    import torch
    from torch.nn import functional

    middle, gaps = outputs[..., 0], functional.softplus(outputs[..., 1:])
    low, high = middle - gaps[..., 0], middle + gaps[..., 1]
    return torch.stack([low - gaps[..., 2], low, high, high + gaps[..., 3]], dim=-1)


def net(schema: Any, train: Any, test: Any, folds: Any, seed: int, *, quantiles: bool) -> tuple[np.ndarray, np.ndarray]:
    """Return out-of-fold answers and answers for the test rows: (n, 1) values or (n, 4) quantiles."""
    from dataclasses import replace

    import torch

    from temperance.core.batch import call
    from temperance.core.recipe import Recipe
    from temperance.data import Preprocess
    from temperance.models import ModelInfo, bin_edges, build, loss_for, recipes_for, size_for, training_for
    from temperance.models.folds import fold_scales, fold_targets, out_of_fold, scale_targets
    from temperance.records.schema import Rows
    from temperance.records.table import Table
    from temperance.regularizers import EMA, Dropout, WeightDecay
    from temperance.training.loop import train as fit
    from temperance.training.predictor import examples
    from temperance.training.settings import TrainSettings

    count, cpu = len(train.target), torch.device("cpu")
    table = Table(schema, Rows.stack([train.rows, test.rows]), np.concatenate([train.target, test.target]))
    rows = np.arange(count)
    preprocess = Preprocess.fit(table, rows)
    shown = examples(preprocess, table, rows, cpu)
    edges = bin_edges(preprocess.transform(train.rows).numeric) if preprocess.width else None
    outputs = len(QUANTILES) + 1 if quantiles else 1
    info = ModelInfo(preprocess.width, preprocess.cardinalities, outputs, "regression", None, count, edges)
    banks = len(folds)
    model = build("Tabular", info, seed, banks=banks, members=2 * banks, width=size_for(count).width)
    part = np.empty(count, dtype=np.int64)
    for number, (_, held) in enumerate(folds):
        part[held] = number
    fold_of = torch.from_numpy(part)
    mean, sd = fold_scales(shown.targets, fold_of, banks)
    targets = fold_targets(scale_targets(shown.targets, model.bank_of, mean, sd), fold_of, model.bank_of)
    plan = training_for("tabular", "regression", count)
    settings = TrainSettings(epochs=plan.epochs, batch_size=plan.batch_size, lr=plan.lr)
    usual = next(one for one in recipes_for("regression") if one.name == "medium")
    recipe = Recipe(WeightDecay(usual.weight_decay), Dropout(usual.dropout), EMA(decay=0.98))
    loss = pinball if quantiles else loss_for("regression")
    trained = fit(model, replace(shown, targets=targets), loss=loss, recipe=recipe, settings=settings, seed=seed)
    bank = torch.tensor(model.bank_of)

    def told(batch: Any, folded: Any = None) -> Any:
        found = call(trained.model.eval(), batch.inputs)
        found = rising(found) if quantiles else found
        found = found * sd[bank].view(1, -1, 1).to(found) + mean[bank].view(1, -1, 1).to(found)
        return (found if folded is None else out_of_fold(found, folded, model.bank_of)).double().mean(dim=1)

    with torch.no_grad():
        held = torch.cat([told(batch, fold_of[batch.index]) for batch in shown.batches()]).numpy()
        later = examples(preprocess, table, np.arange(count, len(table)), cpu)
        new = torch.cat([told(batch) for batch in later.batches()]).numpy()
    first, second = (np.stack([preprocess.unscale_target(c) for c in one.T], 1) for one in (held, new))
    return first, second


def boosting(train: Any, test: Any, folds: Any, seed: int, *, quantiles: bool) -> tuple[np.ndarray, np.ndarray]:
    """Return out-of-fold answers and the refit's answers for the test rows, as ``net`` does."""
    from sklearn.ensemble import HistGradientBoostingRegressor

    def matrix(rows: Any) -> np.ndarray:
        return np.concatenate([rows.numeric, rows.categorical.astype(np.float64)], axis=1)

    inputs, later = matrix(train.rows), matrix(test.rows)
    losses = [{"loss": "quantile", "quantile": q} for q in QUANTILES] if quantiles else [{}]
    held, new = np.empty((len(inputs), len(losses))), np.empty((len(later), len(losses)))
    for j, loss in enumerate(losses):
        model = HistGradientBoostingRegressor(**loss, max_iter=100, random_state=seed)
        for rows, out in folds:
            held[out, j] = model.fit(inputs[rows], train.target[rows]).predict(inputs[out])
        new[:, j] = model.fit(inputs, train.target).predict(later)
    return np.sort(held, axis=1), np.sort(new, axis=1)


def by_residuals(held: np.ndarray, truth: np.ndarray, new: np.ndarray, level: float, seed: int) -> Any:
    from temperance.records.stated_range import StatedRange

    made = StatedRange.of(truth - held[:, 0], held[:, 0], level=level, seed=seed)
    return made.bounds(new[:, 0])


def by_quantiles(held: np.ndarray, truth: np.ndarray, new: np.ndarray, level: float, seed: int) -> Any:
    low, high = ENDS[level]
    scores = np.sort(np.maximum(held[:, low] - truth, truth - held[:, high]))
    rank = min(len(scores), math.ceil((len(scores) + 1) * level - 1e-9))
    moved = float(scores[rank - 1])
    middle = (new[:, low] + new[:, high]) / 2
    return np.minimum(new[:, low] - moved, middle), np.maximum(new[:, high] + moved, middle)


def score(low: np.ndarray, high: np.ndarray, truth: np.ndarray, level: float) -> np.ndarray:
    """Return the interval score per row."""
    miss = np.maximum(low - truth, 0) + np.maximum(truth - high, 0)
    return high - low + 2 / (1 - level) * miss


def cell(data: Path, name: str, seed: int, ways: tuple[str, ...]) -> dict[str, Any]:
    """Measure one set and seed."""
    schema, train, test = cut(data, name, seed)
    folds = folds_of(train.target, "regression", seed)
    answers: dict[str, Any] = {}
    seconds = {}
    for way in ways:
        began, quantiles = time.monotonic(), way.endswith("quantiles")
        if way.startswith("net"):
            answers[way] = net(schema, train, test, folds, seed, quantiles=quantiles)
        else:
            answers[way] = boosting(train, test, folds, seed, quantiles=quantiles)
        seconds[way] = round(time.monotonic() - began, 2)
    spread = float(np.std(train.target))
    rows = []
    for level in LEVELS:
        on_held: dict[str, np.ndarray] = {}
        found: dict[str, dict[str, Any]] = {}
        for way, (held, new) in answers.items():
            ends = by_quantiles if way.endswith("quantiles") else by_residuals
            on_held[way] = score(*ends(held, train.target, held, level, seed), train.target, level)
            low, high = ends(held, train.target, new, level, seed)
            found[way] = {
                "coverage": float(((test.target >= low) & (test.target <= high)).mean()),
                "width": float((high - low).mean()) / spread,
                "score": float(score(low, high, test.target, level).mean()) / spread,
            }
        gain = on_held["net residuals"] - on_held["net quantiles"]
        surely = gain.mean() > SURE * gain.std(ddof=1) / math.sqrt(len(gain))
        found["net chosen"] = {**found["net quantiles" if surely else "net residuals"], "quantiles": bool(surely)}
        rows += [{"way": way, "level": level, **figures} for way, figures in found.items()]
    return {"set": name, "half": half(name), "seed": seed, "rows": len(train.target), "test": len(test.target),
            "load": round(os.getloadavg()[0], 1), "seconds": seconds, "ranges": rows}  # fmt: skip


def ratio(cells: list[dict[str, Any]], level: float, key: str, top: str, bottom: str) -> dict[str, Any]:
    """Return the geometric mean over sets of top over bottom with its bootstrap interval (sets as units)."""
    by: dict[str, list[float]] = {}
    for one in cells:
        found = {row["way"]: row for row in one["ranges"] if row["level"] == level}
        if top not in found:
            continue
        by.setdefault(one["set"], []).append(math.log(found[top][key] / found[bottom][key]))
    means = np.array([np.mean(v) for v in by.values()])
    draws = np.random.default_rng(0).choice(means, (4000, len(means))).mean(axis=1)
    low, high = np.exp(np.quantile(draws, [0.025, 0.975]))
    return {"ratio": round(float(np.exp(means.mean())), 4), "low": round(float(low), 4), "high": round(float(high), 4),
            "sets": len(means), "better_on": int((means < 0).sum())}  # fmt: skip


def summary() -> dict[str, Any]:
    """Compute the record from the lines."""
    cells = [json.loads(line) for line in LINES.read_text().splitlines()]
    found: dict[str, Any] = {
        "command": "python benchmarks/quantile_ranges.py --data DIR --half tuned|once --seeds 0",
        "note": "ratios below 1: quantiles are better; the half 'once' was looked at once, at the end",
        "versions": {name: version(name) for name in ("torch", "numpy", "scikit-learn")},
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "commit": subprocess.check_output(["git", "rev-parse", "HEAD"], text=True, cwd=HERE).strip(),
        "load": [min(one["load"] for one in cells), max(one["load"] for one in cells)],
    }
    for which in ("tuned", "once"):
        some = [one for one in cells if one["half"] == which]
        if not some:
            continue
        block: dict[str, Any] = {
            "sets": sorted({one["set"] for one in some}),
            "seeds": sorted({one["seed"] for one in some}),
            "looked at before": sorted({one["set"] for one in some} & SEEN),
        }
        for level in LEVELS:
            rows = [row for one in some for row in one["ranges"] if row["level"] == level]
            known = [way for way in (*WAYS, CHOSEN) if any(row["way"] == way for row in rows)]
            block[f"level {level}"] = {
                "coverage": {
                    w: round(float(np.mean([r["coverage"] for r in rows if r["way"] == w])), 4) for w in known
                },
                **{
                    f"{kind}, quantiles / residuals, {key}": ratio(
                        some, level, key, f"{kind} quantiles", f"{kind} residuals"
                    )
                    for kind in ("net", "boosting")
                    for key in ("score", "width")
                    if f"{kind} quantiles" in known
                },
                **{
                    f"net, chosen / residuals, {key}": ratio(some, level, key, CHOSEN, WAYS[0])
                    for key in ("score", "width")
                },
                "quantiles chosen on": sum(bool(row.get("quantiles")) for row in rows),
            }
        block["seconds, mean"] = {
            w: round(float(np.mean([one["seconds"][w] for one in some if w in one["seconds"]])), 1)
            for w in known
            if w != CHOSEN
        }
        found[which] = block
    return found


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path)
    parser.add_argument("--half", choices=("tuned", "once"), default="tuned")
    parser.add_argument("--seeds", default="0")
    parser.add_argument("--only", default="")
    parser.add_argument("--models", default=("net", "boosting"), nargs="*", help="net, boosting")
    parser.add_argument("--summary", action="store_true")
    args = parser.parse_args()
    if not args.summary:
        done = set()
        if LINES.exists():
            done = {(one["set"], one["seed"]) for one in map(json.loads, LINES.read_text().splitlines())}
        for seed in map(int, args.seeds.split(",")):
            for name in sets(args.data, args.half):
                if (name, seed) in done or (args.only and name not in args.only.split(",")):
                    continue
                row = cell(args.data, name, seed, tuple(way for way in WAYS if way.startswith(tuple(args.models))))
                with LINES.open("a") as out:
                    out.write(json.dumps(row) + "\n")
                print(name, row["seconds"], flush=True)
    if LINES.exists():
        RECORD.write_text(json.dumps(summary(), indent=1) + "\n")


if __name__ == "__main__":
    main()
