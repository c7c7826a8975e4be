"""What a step through a session costs beside the same technique written by hand in a plain loop.

    python -m benchmarks.step_overhead [--fresh] [--blocks 150] [--only DropConnect ...] [--try]

Both loops alternate in short blocks on one thread, in processor time, so a busy machine disturbs little. Where a loop's
tensors come to lie shifts it by some 2 %, so both are built anew five times; a build gives the median over blocks of
(session time / hand time), a cell the median of its builds. The record is written after each cell and what it holds is
skipped.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import torch
from benchmarks.step_overhead.cells import CELLS
from benchmarks.step_overhead.work import Cell, by_hand, by_session

RECORD = Path(__file__).parent.parent / "records" / "step_overhead.json"
BAR = 1.05
BUILDS = 5
BLOCK_SECONDS = 0.008  # a block has as many steps as last about this long


def measure(cell: Cell, net: str, blocks: int) -> dict[str, Any]:
    """Return the two times, the ratio of each build, their median, and the quartiles over all blocks."""
    pairs, steps, builds = [], 0, []
    for _ in range(BUILDS):
        ours, hand = by_session(cell, net)[0], by_hand(cell, net)[0]
        for one in (ours, hand) * 10:
            one()
        steps = steps or max(1, round(BLOCK_SECONDS / _seconds(hand, 5)))
        own = []
        for block in range(blocks // BUILDS):
            took = {one: _seconds(one, steps) for one in ((ours, hand) if block % 2 else (hand, ours))}
            own.append((took[ours], took[hand]))
        builds.append(statistics.median(a / b for a, b in own))
        pairs += own
    low, _, high = statistics.quantiles((a / b for a, b in pairs), n=4)
    return {
        "session_ms": 1e3 * statistics.median(a for a, _ in pairs),
        "hand_ms": 1e3 * statistics.median(b for _, b in pairs),
        "ratio": statistics.median(builds),
        "builds": builds,
        "low": low,
        "high": high,
        "blocks": len(pairs),
        "steps_per_block": steps,
    }


def _seconds(one: Any, steps: int) -> float:
    started = time.process_time()
    for _ in range(steps):
        one()
    return (time.process_time() - started) / steps


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fresh", action="store_true", help="forget the record of what is run")
    parser.add_argument("--blocks", type=int, default=150)
    parser.add_argument("--only", nargs="*", default=[], help="techniques to run")
    parser.add_argument("--try", dest="trial", action="store_true", help="write no record")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    record = json.loads(RECORD.read_text()) if RECORD.exists() else {"cells": {}}
    record |= {"torch": torch.__version__, "python": platform.python_version(), "machine": platform.machine()}
    record["bar"] = BAR
    wanted = [
        (name, net) for name, cell in CELLS.items() for net in cell.nets if not chosen.only or name in chosen.only
    ]
    known = {f"{name} / {net}" for name, cell in CELLS.items() for net in cell.nets}
    record["cells"] = {key: row for key, row in record["cells"].items() if key in known}
    for name, net in wanted if chosen.fresh else ():
        record["cells"].pop(f"{name} / {net}", None)
    for name, net in wanted:
        key = f"{name} / {net}"
        if key in record["cells"] and not chosen.trial:
            continue
        result = measure(CELLS[name], net, chosen.blocks)
        over = "" if result["ratio"] <= BAR else "  over the bar"
        print(
            f"{key:45s} {result['ratio']:.3f} × ({result['low']:.3f} to {result['high']:.3f}, quartiles), "
            f"{result['hand_ms']:.2f} ms by hand{over}",
            flush=True,
        )
        if not chosen.trial:
            record["cells"][key] = result
            write(record)
    if not chosen.trial:
        summary(record)


def summary(record: dict[str, Any]) -> None:
    """Print, and keep in the record, how many cells hold the bar."""
    cells = record["cells"]
    alone = {key: row["ratio"] for key, row in cells.items()}
    over = sorted((key for key in alone if alone[key] > BAR), key=lambda key: -alone[key])
    record["summary"] = {"cells": len(alone), "within": len(alone) - len(over), "over": over,
                         "median": statistics.median(alone.values())}  # fmt: skip
    write(record)
    print(f"{len(alone) - len(over)} of {len(alone)} cells within {BAR} ×; over: {', '.join(over) or 'none'}")


def write(record: dict[str, Any]) -> None:
    waiting = RECORD.with_suffix(".tmp")
    waiting.write_text(json.dumps(record, indent=1) + "\n")
    os.replace(waiting, RECORD)


if __name__ == "__main__":
    main()
