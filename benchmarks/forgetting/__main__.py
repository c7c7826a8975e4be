"""Fine-tune without forgetting: what each method gains on a new task and loses on old ones.

    python -m benchmarks.forgetting pretrain
    python -m benchmarks.forgetting try NAME METHOD …     settings: on the tuning tasks only, nothing is recorded
    python -m benchmarks.forgetting bar [METHOD …]        three tasks that no setting was chosen on, three seeds
    python -m benchmarks.forgetting table                 what the runs so far come to
    python -m benchmarks.forgetting step [METHOD …]       what a step costs, in pairs beside the plain step

A GPT-2 of 1.0 M weights is pretrained on six kinds of generated rows (``text.py``) and fine-tuned on 512 rows of a new
kind, without any old row. Records: ``benchmarks/records/forgetting/``. What a method may be is in ``methods.py``.
"""

from __future__ import annotations

import argparse
import copy
import json
import os
import platform
import statistics
import sys
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import peft
import torch
import transformers
from benchmarks.forgetting import text
from benchmarks.forgetting.methods import FIRST, METHODS, PLAIN, PRICED, TARGET, TRIED, Method
from benchmarks.forgetting.summary import summary
from benchmarks.forgetting.train import (
    BATCH,
    LOOK,
    STEPS,
    TRAIN,
    batch_of,
    before,
    fine_tune,
    kept_rows,
    own_rows,
    start,
)

from temperance.signals import Forgetting

RECORDS = Path(__file__).parent.parent / "records" / "forgetting"
SEEDS = (6, 7, 8)


def shown(row: dict[str, Any]) -> str:
    return " ".join(f"{k}={v:.3f}" if isinstance(v, float) else f"{k}={v}" for k, v in row.items() if v is not None)


def settings() -> dict[str, Any]:
    return {
        "command": f"python -m benchmarks.forgetting {' '.join(sys.argv[1:])}",
        "torch": torch.__version__,
        "transformers": transformers.__version__,
        "peft": peft.__version__,
        "python": platform.python_version(),
        "machine": platform.machine(),
        "threads": torch.get_num_threads(),
        "weights": sum(p.numel() for p in start().parameters()),
        "steps": STEPS,
        "batch": BATCH,
        "training_rows": TRAIN,
        "target": TARGET,
        "methods": {
            name: {
                "recipe": repr(one.recipe()),
                "lr": one.lr,
                "written": one.written,
                "fresh": one.fresh,
                "keeps": one.keeps,
                "late": one.late,
                "least": one.least,
            }
            for name, one in METHODS.items()
        },
    }


def known() -> list[dict[str, Any]]:
    """Return the runs that the record holds."""
    file = RECORDS / "third_look.jsonl"
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def bar(names: list[str], seeds: tuple[int, ...], minutes: float) -> None:
    """Run each method on each task and seed; what the record holds is skipped, and what would not end in time."""
    RECORDS.mkdir(parents=True, exist_ok=True)
    began, longest = time.monotonic(), 0.0
    cells = [(name, task, seed) for seed in seeds for task in text.NEW for name in names or METHODS]
    for name, task, seed in sorted(cells, key=lambda cell: cell[0] not in FIRST):
        if (name, task, seed) in {(row["method"], row["task"], row["seed"]) for row in known()}:
            continue
        started = time.monotonic()
        if started - began + 1.2 * longest > 60 * minutes:
            break
        row = {"method": name, **fine_tune(METHODS[name], task, seed), "load": os.getloadavg()[0]}
        longest = max(longest, time.monotonic() - started)
        print(shown(row), flush=True)
        with (RECORDS / "third_look.jsonl").open("a") as out:
            out.write(json.dumps(row) + "\n")


def table() -> None:
    """Write what the runs so far come to."""
    runs = known()
    numbers = {name: ("kl_second_half", one.held) for name, one in METHODS.items() if one.held is not None}
    numbers |= {name: ("forgetting_second_half", one.keeps) for name, one in METHODS.items() if one.keeps is not None}
    left = len(text.NEW) * len(SEEDS) * len(METHODS) - len(runs)
    record = {**settings(), "before": {task: before(task) for task in text.NEW}, **summary(runs, PLAIN, numbers)}
    _write(RECORDS / "third_look.json", {**record, "runs": len(runs), "runs_left": left})


def step(names: list[str], pairs: int = 40) -> None:
    """Measure what a step of the anchor costs beside the plain step, in turn, in processor time.

    Each has its own batch: what holds the model's own text has that many rows more.
    """
    found: dict[str, Any] = {}
    priced = {name: one for name, one in {**METHODS, **PRICED}.items() if name in (names or (name,))}
    priced = {name: one for name, one in priced.items() if one.held is not None or one.keeps is not None}
    for size in (BATCH, 2 * BATCH):
        data = text.rows(text.TUNING["double"], size, 1, prompts_count=False)
        for name, method in priced.items():
            plain, own = (_session(one, pairs) for one in (METHODS[PLAIN], method))
            rows = [data.batch(slice(0, size)), batch_of(method, data, torch.arange(size), own_rows(torch.Generator()))]
            took = [
                [_seconds(one, batch) for one, batch in zip((plain, own), rows, strict=True)] for _ in range(pairs + 5)
            ]
            low, ratio, high = statistics.quantiles((b / a for a, b in took[5:]), n=4)
            milliseconds = 1e3 * statistics.median(a for a, _ in took[5:])
            looks = [_look_seconds(own) for _ in range(9)] if method.keeps is not None else [0.0]
            look = 1e3 * statistics.median(looks) / LOOK / milliseconds  # of one step: it is taken once in so many
            row = {"ratio": ratio + look, "low": low + look, "high": high + look, "of_looking": look}
            row |= {"plain_ms": milliseconds, "pairs": pairs, "load": os.getloadavg()[0]}
            found[f"{name} / batch {size}"] = row
            print(name, size, shown(row), flush=True)
            _write(RECORDS / "third_step.json", {**settings(), "steps_beside_plain": found})


def _session(method: Method, pairs: int) -> Any:
    model = method.adapt(copy.deepcopy(start())).train()
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=1e-4, weight_decay=0.0)
    signals = [] if method.keeps is None else [Forgetting({"old": kept_rows("double")}, share=True)]
    return method.recipe().attach(model, optimizer, loss=None, steps=pairs + 5, select=None, signals=signals)


def _seconds(session: Any, batch: Any) -> float:
    began = time.process_time()
    session.step(batch)
    return time.process_time() - began


def _look_seconds(session: Any) -> float:
    began = time.process_time()
    session.validate(value=0.0, better="lower")
    return time.process_time() - began


def attempt(task: str, names: list[str], seed: int) -> None:
    every = {**METHODS, **TRIED}
    for name in names:
        began = time.perf_counter()
        print(
            name,
            shown(fine_tune(every[name], task, seed)),
            f"{time.perf_counter() - began:.0f} s",
            flush=True,
        )


def _write(path: Path, record: dict[str, Any]) -> None:
    waiting = path.with_suffix(".tmp")
    waiting.write_text(json.dumps(record, indent=1) + "\n")
    os.replace(waiting, path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("pretrain", "try", "bar", "table", "step"))
    parser.add_argument("names", nargs="*", help="try: a tuning task, then methods; bar and step: methods (all)")
    parser.add_argument("--seed", type=int, help="try: of the run (0); bar: this one alone (all three)")
    parser.add_argument("--minutes", type=float, default=1e9, help="bar: begin no run that would not end by then")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    if chosen.what == "try":
        attempt(chosen.names[0], chosen.names[1:], chosen.seed or 0)
    elif chosen.what == "bar":
        bar(chosen.names, SEEDS if chosen.seed is None else (chosen.seed,), chosen.minutes)
    elif chosen.what == "step":
        step(chosen.names)
    else:
        {"pretrain": start, "table": table}[chosen.what]()


if __name__ == "__main__":
    main()
