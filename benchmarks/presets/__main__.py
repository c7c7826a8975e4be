"""What each preset does to test scores, beside the same training without a recipe.

    python -m benchmarks.presets --data DIR --half tuned|once [--seeds 5] [--sets 99] [--kinds finetune ...] [--show]

Pairs share rows, first weights and order of batches. On the half ``tuned`` other recipes are trained too: the presets
were chosen there, by test loss. The half ``once`` was run once, after that. A set of DIR that is not there is left
out. The record is written after each training; what it holds is skipped, unless the recipe is another one now.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import torch
from benchmarks.presets.candidates import PLAIN, recipes
from benchmarks.presets.table import shown
from benchmarks.presets.tasks import Task, tasks

RECORD = Path(__file__).parent.parent / "records" / "presets"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("data"), help="folder of data sets")
    parser.add_argument("--half", choices=("tuned", "once"), default="once")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--sets", type=int, default=99, help="most data sets of a kind")
    parser.add_argument("--kinds", nargs="*", help="presets; all where not given")
    parser.add_argument("--show", action="store_true", help="print the record and run nothing")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    place = RECORD / f"{chosen.half}.json"
    kept: dict[str, Any] = json.loads(place.read_text()) if place.exists() else {"cells": {}}
    if not chosen.show:
        seen: Counter[str] = Counter()
        for task in tasks(chosen.data, chosen.half):
            seen[task.kind] += 1
            if (not chosen.kinds or task.kind in chosen.kinds) and seen[task.kind] <= chosen.sets:
                fill(task, chosen.seeds, kept, place)
    for line in shown(kept):
        print(line)


def fill(task: Task, seeds: int, kept: dict[str, Any], place: Path) -> None:
    for seed in range(seeds):
        for name, recipe in recipes(task.kind, task.half).items():
            row = kept["cells"].setdefault(f"{task.kind} / {task.name} / {name}", {"recipe": repr(recipe), "seeds": {}})
            if row["recipe"] != repr(recipe):
                row.update({"recipe": repr(recipe), "seeds": {}})
            if str(seed) in row["seeds"]:
                continue
            found = task.run(recipe, seed)
            if found is None:
                print(f"{task.name} is not there", flush=True)
                del kept["cells"][f"{task.kind} / {task.name} / {name}"]
                return
            row["seeds"][str(seed)] = {key: round(value, 6) for key, value in found.items()}
        kept |= {
            "command": f"python -m benchmarks.presets --data DIR --half {task.half} --seeds {seeds}",
            "torch": torch.__version__, "python": platform.python_version(),
            "machine": platform.machine(), "commit": commit(), "plain": PLAIN,
        }  # fmt: skip
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(json.dumps(kept, indent=1, sort_keys=True) + "\n")
    print(f"{task.kind}: {task.name}", flush=True)


def commit() -> str:
    words = ["git", "rev-parse", "--short", "HEAD"]
    return subprocess.run(words, capture_output=True, text=True, check=False, cwd=Path(__file__).parent).stdout.strip()


if __name__ == "__main__":
    main()
