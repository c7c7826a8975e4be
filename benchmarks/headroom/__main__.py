"""What a better strength is worth over the default, and what stopping, averaging, weighing and adapting give.

    python -m benchmarks.headroom --data DIR [--half tuned] [--seeds 2] [--only REGIME] [--limit SECONDS]
    python -m benchmarks.headroom --data DIR --half once      # one run, at the end
    python -m benchmarks.headroom --write                     # record and table from the ledger alone

Every finished cell is a line of the ledger (records/headroom.jsonl); a run that was broken off goes on where it ended.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import torch
from benchmarks.headroom.cell import measure
from benchmarks.headroom.cells import Cell, cells
from benchmarks.headroom.summary import LEDGER, ledger, write


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="../shared/data", help="folder with a folder per set")
    parser.add_argument("--half", choices=("tuned", "once"), default="tuned")
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--only", default="", help="regimes whose name holds this")
    parser.add_argument("--limit", type=float, default=3600.0, help="processor seconds, then no further cell begins")
    parser.add_argument("--write", action="store_true", help="train nothing")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    if not chosen.write:
        todo = [
            (cell, seed)
            for seed in range(chosen.seeds)
            for cell in cells(Path(chosen.data), chosen.half)
            if chosen.only in cell.regime
        ]
        run(todo, chosen.limit)
    write()


def run(todo: list[tuple[Cell, int]], limit: float) -> None:
    """Measure what the ledger does not hold yet."""
    known = {(line["regime"], line["set"], line["seed"]) for line in ledger()}
    for cell, seed in todo:
        if (cell.regime, cell.name, seed) in known or time.process_time() > limit:
            continue
        begun = time.process_time()
        for line in measure(cell, seed):
            with LEDGER.open("a", encoding="utf-8") as out:
                out.write(json.dumps(rounded(line)) + "\n")
        print(f"{cell.regime} · {cell.name} · {seed}: {time.process_time() - begun:.1f} s", flush=True)


def rounded(value: Any) -> Any:
    """Return the same with five significant digits; NaN becomes None."""
    if isinstance(value, dict):
        return {k: rounded(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(v) for v in value]
    if isinstance(value, float):
        return float(f"{value:.5g}") if value == value else None
    return value


if __name__ == "__main__":
    main()
