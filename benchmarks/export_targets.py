"""What smaller forms of the default table net cost and lose, and what it takes on one core with 256 MB.

    OMP_NUM_THREADS=1 python benchmarks/export_targets.py --data DIR --sets a,b [--half tuned] [--seeds 2]

DIR has a folder per set with ``data.parquet`` and ``meta.json``. Per set and seed: the default net (``tabular``),
trained for 20 passes with AdamW on 60 % of at most 3,000 rows, is a bundle;
``export --target edge`` and ``cpu`` judge its forms on the other 40 %. Ranges of the static form come from
training rows. Targets: an int8 form of at most 0.35 times the bytes that loses at most 0.5 % of the score; the edge run
at most 50 MB resident without torch. Sets are those of one half of ``halves.py``; the forms have no setting that was
tuned on any of them. The record, benchmarks/records/export_targets.json, holds all runs; its load average says what
else ran.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from halves import SEEN, half

import temperance
from temperance import Recipe, WeightDecay
from temperance.data import read
from temperance.data.preprocess import Preprocess
from temperance.deployment import Network, write_bundle
from temperance.deployment.export import export_bundle
from temperance.models import ModelInfo, build
from temperance.models.edges import bin_edges
from temperance.models.loss import combine
from temperance.records.errors import BundleError
from temperance.records.table import Table

RECORD = Path(__file__).parent / "records" / "export_targets.json"
MOST_ROWS, EPOCHS, BATCH = 3000, 20, 256


def trained(table: Any, rows: np.ndarray, seed: int) -> tuple[Any, Any]:
    """Train the default net; return it as part of a bundle and as predictor."""
    part = Table(table.schema, table.rows.take(rows), table.target[rows])
    fitted = Preprocess.fit(part)
    task = table.schema.target.task
    features = fitted.transform(part.rows)
    edges = bin_edges(features.numeric) if features.numeric.shape[1] else None
    info = ModelInfo(fitted.width, fitted.cardinalities, table.schema.target.outputs, task, edges, len(rows))
    module = build("tabular", info, seed)
    numeric, categorical = torch.from_numpy(features.numeric), torch.from_numpy(features.categorical)
    target = torch.from_numpy(
        part.target.astype(np.int64) if task != "regression" else fitted.scale_target(part.target).astype(np.float32)
    )
    optimizer = torch.optim.AdamW(module.parameters(), lr=2e-3, weight_decay=0.0)
    session = Recipe(WeightDecay(1e-3)).attach(module, optimizer, loss=member_loss(task), epochs=EPOCHS)
    shuffle = np.random.default_rng(seed)
    for _ in range(EPOCHS):
        order = torch.from_numpy(shuffle.permutation(len(rows)))
        for i in range(0, len(rows) - 1, BATCH):
            index = order[i : i + BATCH]
            session.step(((numeric[index], categorical[index]), target[index]))
    session.finish()
    module.eval()

    class Trained:
        schema = table.schema

        def predict(self, some: Any) -> Any:
            x = fitted.transform(some)
            with torch.no_grad():
                out = module(torch.from_numpy(x.numeric), torch.from_numpy(x.categorical)).double()
            found = combine(out, task=task).numpy()
            return found * fitted.target_sd + fitted.target_mean if task == "regression" else found

    return Network.of(module, fitted, table.schema), Trained()


def member_loss(task: str) -> Any:
    """Return the mean over members of each member's own loss, one number per row."""

    def loss(outputs: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        k = outputs.shape[1]
        if task == "regression":
            return (outputs.squeeze(-1) - target[:, None]).square().mean(dim=1)
        flat = torch.nn.functional.cross_entropy(outputs.flatten(0, 1), target.repeat_interleave(k), reduction="none")
        return flat.reshape(-1, k).mean(dim=1)

    return loss


def cell(data: Path, name: str, seed: int) -> dict[str, Any]:
    """Train, export for two targets, and return the tables."""
    meta = json.loads((data / name / "meta.json").read_text())
    table = read(data / name / "data.parquet", target=meta["target"]).table
    order = np.random.default_rng(seed).permutation(len(table))[:MOST_ROWS]
    cut = int(0.6 * len(order))
    train, judge = np.sort(order[:cut]), np.sort(order[cut:])
    began = time.monotonic()
    part, predictor = trained(table, train, seed)
    seconds = time.monotonic() - began
    with tempfile.TemporaryDirectory() as scratch:
        place = Path(scratch)
        bundle = write_bundle(
            place / "b", part=part, schema=table.schema, predictor=predictor, rows=table.rows.take(judge[:200])
        )
        found: dict[str, Any] = {}
        for target in ("edge", "cpu"):
            try:
                done = export_bundle(
                    bundle, target, place / target, rows=table.rows.take(judge), truth=table.target[judge],
                    ranges=table.rows.take(train[:512]),
                )  # fmt: skip
                found[target] = {**done.to_dict(), "folder": None}
            except BundleError as fault:
                found[target] = {"refused": str(fault)}
        size = (place / "b" / "model.onnx").stat().st_size
    return {
        "set": name, "half": half(name), "seen_before": name in SEEN, "seed": seed, "rows": [len(train), len(judge)],
        "columns": len(table.schema.columns), "model_bytes": size, "train_seconds": round(seconds, 1), **found,
        "load_average": round(os.getloadavg()[0], 1),
    }  # fmt: skip


def summary(cells: list[dict[str, Any]]) -> dict[str, Any]:
    """Return for each form: median share of bytes, median and worst loss, in how many runs it passed."""
    found: dict[str, Any] = {}
    for one in cells:
        candidates = one.get("edge", {}).get("candidates", [])
        whole = next((c["bytes"] for c in candidates if c["name"] == "as it is"), None)
        for c in candidates:
            row = found.setdefault(c["name"], {"share": [], "drop": [], "ms": [], "passed": 0, "runs": 0})
            row["runs"] += 1
            row["passed"] += not c["refused"]
            if c["bytes"] and whole:
                row["share"].append(c["bytes"] / whole)
                row["ms"].append(c["latency_1_ms"])
            if c["drop"] is not None:
                row["drop"].append(c["drop"])
    return {
        name: {
            "runs": row["runs"], "passed": row["passed"],
            "bytes_share_median_worst": _two(row["share"]), "drop_percent_median_worst": _two(row["drop"], 100),
            "ms_one_row_median": round(float(np.median(row["ms"])), 4) if row["ms"] else None,
        }
        for name, row in found.items()
    }  # fmt: skip


def _run(one: dict[str, Any]) -> dict[str, Any]:
    return {
        key: round(one[key], 3) for key in ("p50_ms", "p99_ms", "resident_mb", "own_mb", "peak_mb") if key in one
    } or one


def _two(values: list[float], times: float = 1.0) -> list[float] | None:
    return [round(times * float(f(values)), 4) for f in (np.median, np.max)] if values else None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--half", choices=["tuned", "once"], default="tuned")
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--sets", default="")
    parser.add_argument("--out", type=Path, default=RECORD)
    given = parser.parse_args()
    torch.set_num_threads(1)
    names = [name for name in given.sets.split(",") if name]
    wrong = [name for name in names if half(name) != given.half]
    if wrong or not names:
        parser.error(f"--sets: sets of the half {given.half}; {', '.join(wrong) or 'none given'}")
    cells = []
    for name in names:
        for seed in range(given.seeds):
            cells.append(cell(given.data, name, seed))
            edge = cells[-1]["edge"]
            print(name, seed, edge.get("chosen"), edge.get("edge"), edge.get("refused", ""), flush=True)
    record = {
        "command": f"python benchmarks/export_targets.py --data DIR --sets {given.sets} --half {given.half} "
        f"--seeds {given.seeds}", "half": given.half,
        "temperance": temperance.__version__, "python": platform.python_version(), "torch": torch.__version__,
        "cores": os.cpu_count(), "summary": summary(cells), "cells": cells,
        "edge_runs": [
            {"set": c["set"], "form": c["edge"]["chosen"], **{k: _run(one) for k, one in c["edge"]["edge"].items()}}
            for c in cells if c["edge"].get("edge")
        ],
        "not_verified": "speed on processors with VNNI, on ARM and on GPUs; nets of images",
    }  # fmt: skip
    runs = json.loads(given.out.read_text())["runs"] if given.out.exists() else []
    given.out.write_text(json.dumps({"runs": [*runs, record]}, indent=1) + "\n")
    print(json.dumps(record["summary"], indent=1))


if __name__ == "__main__":
    main()
