"""What each technique does to the default folded run, at its default strength: the order in which a study tries them.

    python benchmarks/folded_effects.py --data DIR [--rows 500] [--write]

Per set of the half ``tuned`` and technique: the folded run of ``portfolio.folded_specs`` with the technique beside the
usual two, against the same run without it (same seed, same folds, same steps). Loss is that of the mixture that ships,
by answers of members that did not train on the row (weights found without its fold). What refuses to work on the net is
left out. The record is a line per cell; ``--write`` makes ``study/search/gains.json`` from it.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
import tempfile
import time
from pathlib import Path
from statistics import fmean
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).parent))
import numpy as np
import torch
from one_run import folded_run, losses, prepared

import temperance.regularizers  # noqa: F401  (fills the registry)
from temperance.core.regularizer import techniques
from temperance.records.errors import TemperanceError
from temperance.study.plan import default_settings
from temperance.study.search.portfolio import folded_specs

HERE = Path(__file__).parent
RECORD = HERE / "records" / "folded_effects.jsonl"
TARGET = HERE.parent / "src" / "temperance" / "study" / "search" / "gains.json"
SETS = ("attrition", "segmentation", "tokyo1", "concrete", "abalone")
USUAL = {"WeightDecay": "weight_decay.", "Dropout": "dropout."}


def cells(data: Path, name: str, rows: int) -> list[dict[str, Any]]:
    """Return the loss and the seconds of the run without and with each technique."""
    with tempfile.TemporaryDirectory() as scratch:
        runner = prepared(data, name, 0, rows, Path(scratch))
        task = runner.schema.target.task
        settings = default_settings(runner.table, runner.roles, model="Tabular")
        first = folded_specs(settings={**settings, "epochs": settings["epochs"] / 2}, task=task, seed=0)[0]
        found = []
        for technique in ["warm", "nothing", *sorted(cls.__name__ for _, cls in techniques.items())]:
            for away in ([], ["WeightDecay"], ["Dropout"]):
                spec = beside(first, technique, away)
                started = time.process_time()
                try:
                    run, _ = folded_run(runner, spec.changed(id=technique))
                except TemperanceError:
                    continue
                dev = runner.roles.development
                loss = float(losses(runner, run.selection[dev], dev).mean()) if run.picks else None
                found.append({"set": name, "task": task, "technique": technique, "instead_of": away, "loss": loss,
                              "seconds": time.process_time() - started})  # fmt: skip
                break
        return found[1:]


def beside(first: Any, technique: str, away: list[str]) -> Any:
    """Return the run with a technique more and without those that it cannot stand beside."""
    usual = [one for one in first.recipe["regularizers"] if one["name"] not in away]
    more = [] if technique in ("warm", "nothing") else [{"name": technique}]
    gone = tuple(USUAL[name] for name in away)
    slots = tuple({a: v for a, v in slot.items() if not a.startswith(gone or ("-",))} for slot in first.slots)
    return first.changed(recipe={"regularizers": [*usual, *more]}, slots=slots)


def gains(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Return by technique and kind of task the mean log ratio of losses without and with it, and of the seconds."""
    plain = {row["set"]: row for row in rows if row["technique"] == "nothing"}
    found: dict[str, Any] = {}
    for technique in sorted({row["technique"] for row in rows} - {"nothing", *USUAL}):
        mine = [row for row in rows if row["technique"] == technique and row["loss"]]
        entry: dict[str, Any] = {"instead_of": mine[0]["instead_of"] if mine else []}
        for kind in ("classes", "values"):
            some = [row for row in mine if (row["task"] == "regression") == (kind == "values")]
            if some:
                entry[kind] = round(fmean(math.log(plain[r["set"]]["loss"] / r["loss"]) for r in some), 4)
        if len(entry) > 1:
            entry["price"] = round(fmean(r["seconds"] / plain[r["set"]]["seconds"] for r in mine), 2)
            found[technique] = entry
    return found


def main() -> None:
    """Run what the record lacks; write the order where asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--rows", type=int, default=500)
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()
    torch.set_num_threads(1)
    done = [json.loads(line) for line in RECORD.read_text().splitlines()] if RECORD.exists() else []
    for name in SETS if given.data else ():
        if name in {row["set"] for row in done}:
            continue
        fresh = cells(given.data, name, given.rows)
        with RECORD.open("a") as file:
            file.writelines(json.dumps({**row, "rows": given.rows, "torch": torch.__version__}) + "\n" for row in fresh)
        done += fresh
        print(name, len(fresh), round(float(np.sum([row["seconds"] for row in fresh])), 1), flush=True)
    if given.write:
        TARGET.write_text(json.dumps(gains(done), indent=1) + "\n")


if __name__ == "__main__":
    main()
