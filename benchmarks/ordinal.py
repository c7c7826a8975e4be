"""Levels learnt as levels: one net by the cumulative cross-entropy against the same net by the cross-entropy.

    python benchmarks/ordinal.py --data DIR [--seeds 0,1,2]

Per set and seed at most 1,000 rows train and at most 3,000 others test. Both nets have the same weights, order of rows
and recipe; only the loss differs, and nothing was tuned. The answer is the middle level or the most probable class.
The record holds means over seeds: ranked probability score, distance in levels, weighted kappa, log loss.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
import numpy as np
from halves import half

HERE = Path(__file__).parent
RECORD = HERE / "records" / "ordinal.json"
SETS = ("swd", "wine_quality_white", "wine_quality_red", "student_portuguese", "abalone")
TRAIN, TEST, LEVELS = 1000, 3000, 20


def cell(data: Path, name: str, seed: int) -> dict[str, Any] | None:
    """Return figures of both losses on one set, None where its target has no few levels."""
    import polars as pl

    from temperance.data import read
    from temperance.estimators.single import Single
    from temperance.evaluation import measure, observe

    meta = json.loads((data / name / "meta.json").read_text())
    frame = pl.read_parquet(data / name / "data.parquet").drop(meta.get("split_columns") or [], strict=False)
    target = "G3" if name == "student_portuguese" and "G3" in frame.columns else meta["target"]
    frame = frame.drop_nulls(target)
    order = np.random.default_rng(seed).permutation(len(frame))[: TRAIN + TEST]
    if frame[target].n_unique() > LEVELS or not frame[target].dtype.is_numeric():
        return None
    table = read(frame[np.sort(order)], target=target, task="ordinal").table
    parts = np.random.default_rng(seed + 1).permutation(len(table))
    count = min(TRAIN, int(0.6 * len(table)))
    row: dict[str, Any] = {"set": name, "half": half(name), "seed": seed, "levels": len(table.schema.target.classes)}
    for loss, ordered in (("cumulative", True), ("plain", False)):
        aim = replace(table.schema.target, ordered=ordered)
        shown = replace(table, schema=replace(table.schema, target=aim))
        predictor, _ = Single(seed=seed).train(shown.take(np.sort(parts[:count])))
        seen = replace(observe(predictor, shown.take(np.sort(parts[count:]))), ordered=True)
        row[loss] = {m.name: m.value for m in measure(seen) if m.name in ("rps", "level_mae", "qwk", "log_loss")}
        at_top = measure(replace(seen, fixed=seen.top))
        row[f"{loss}, most probable class"] = {m.name: m.value for m in at_top if m.name in ("level_mae", "qwk")}
    return row


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--seeds", default="0,1,2")
    args = parser.parse_args()
    seeds = [int(seed) for seed in args.seeds.split(",")]
    rows = [row for name in SETS for seed in seeds if (row := cell(args.data, name, seed)) is not None]
    told: dict[str, Any] = {
        "command": f"python benchmarks/ordinal.py --data DIR --seeds {args.seeds}", "python": platform.python_version(),
        "versions": {name: version(name) for name in ("torch", "numpy")}, "tuned on": "nothing", "sets": {},
    }  # fmt: skip
    for name in dict.fromkeys(row["set"] for row in rows):
        some = [row for row in rows if row["set"] == name]
        told["sets"][name] = {"half": half(name), "levels": some[0]["levels"], "seeds": len(some)} | {
            kind: {m: round(float(np.mean([row[kind][m] for row in some])), 4) for m in some[0][kind]}
            for kind in ("cumulative", "plain", "cumulative, most probable class", "plain, most probable class")
        }
    RECORD.write_text(json.dumps(told, indent=1) + "\n")


if __name__ == "__main__":
    main()
