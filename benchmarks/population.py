"""Member-steps per second of a population beside k sessions one after another, by width and k.

    python benchmarks/population.py [--fresh] [--seconds 1.0]

`vmap` and `loop` are the two executors of ``Population``; `sessions` trains k members by ``Recipe.attach``, as a user
without a population would. Rates are in processor time, medians over rounds in turn, on one thread. The record is
written after each cell and what it holds is skipped.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812

from temperance import Dropout, MixUp, Population, Recipe, WeightDecay
from temperance.core.optimizers import AdamW

RECORD = Path(__file__).parent / "records" / "population.json"
WIDTHS, MEMBERS, ROWS = (32, 64, 128, 256), (2, 4, 8, 16), 256
RECIPE = Recipe(Dropout(0.1), MixUp(0.2), WeightDecay(1e-2))


def model(width: int) -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(32, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, 10))


def loss(outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    return F.cross_entropy(outputs, targets, reduction="none")


def runners(width: int, k: int, batch: tuple[torch.Tensor, torch.Tensor]) -> dict[str, Callable[[], None]]:
    made: dict[str, Callable[[], None]] = {}
    for mode in ("vmap", "loop"):
        pop = Population(RECIPE, model(width), loss, AdamW(1e-3), k, mode=mode)
        state = [pop.begin()]

        def step(pop=pop, state=state) -> None:
            state[0] = pop(state[0], batch)[0]

        made[mode] = step
    sessions = []
    for seed in range(k):
        net = model(width)
        optimizer = torch.optim.AdamW(net.parameters(), lr=1e-3, weight_decay=0.0)
        sessions.append(RECIPE.attach(net, optimizer, loss=loss, seed=seed))

    def each() -> None:
        for session in sessions:
            session.step(batch)

    return {**made, "sessions": each}


def measure(width: int, k: int, seconds: float) -> dict[str, object]:
    batch = (torch.randn(ROWS, 32), torch.randint(0, 10, (ROWS,)))
    steps = runners(width, k, batch)
    took: dict[str, list[float]] = {name: [] for name in steps}
    for step in steps.values():
        step(), step()
    started = time.process_time()
    while time.process_time() - started < seconds * len(steps) or len(took["vmap"]) < 5:
        for name, step in steps.items():
            before = time.process_time()
            step()
            took[name].append(time.process_time() - before)
    rate = {name: k / statistics.median(times) for name, times in took.items()}
    pop = Population(RECIPE, model(width), loss, AdamW(1e-3), k)
    pop(pop.begin(), batch)
    return {
        "member_steps_per_second": rate,
        "vmap_over_loop": rate["vmap"] / rate["loop"],
        "vmap_over_sessions": rate["vmap"] / rate["sessions"],
        "chosen": pop.choice["executor"],
        "rounds": len(took["vmap"]),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fresh", action="store_true", help="forget the record")
    parser.add_argument("--seconds", type=float, default=1.0, help="processor time per cell and way")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    kept = json.loads(RECORD.read_text()) if RECORD.exists() and not chosen.fresh else {"cells": {}}
    kept |= {"torch": torch.__version__, "python": platform.python_version(), "machine": platform.machine()}
    kept["recipe"] = repr(RECIPE)
    for width in WIDTHS:
        for k in MEMBERS:
            cell = f"{width}/{k}"
            if cell in kept["cells"]:
                continue
            result = kept["cells"][cell] = measure(width, k, chosen.seconds)
            print(
                f"width {width:3d}, {k:2d} members: vmap {result['vmap_over_loop']:.2f} × loop, "
                f"{result['vmap_over_sessions']:.2f} × sessions; chosen {result['chosen']}",
                flush=True,
            )
            waiting = RECORD.with_suffix(".tmp")
            waiting.write_text(json.dumps(kept, indent=1) + "\n")
            os.replace(waiting, RECORD)


if __name__ == "__main__":
    main()
