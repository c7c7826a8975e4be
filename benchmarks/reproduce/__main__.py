"""Reproduce published results in shape, on bundled and generated data: claim, paper, our figure, verdict.

    python -m benchmarks.reproduce [--fresh] [--only P4] [--list]

The record is written after each seed and what it holds is skipped, so an interrupted run goes on where it was. A shape
whose settings changed since its record is run anew.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import platform
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import torch
from benchmarks.reproduce.shape import Shape

import temperance

RECORD = Path(__file__).parent.parent / "records" / "reproduce.json"
# Those with adversarial attacks come last: they are the longest.
FILES = {
    "P1": "p01_memorisation", "P2": "p02_stop_without_rows", "P3": "p03_averaging", "P4": "p04_flatness",
    "P5": "p05_mixing", "P8": "p08_concrete_dropout", "P9": "p09_rotation", "P12": "p12_adaptive",
    "P10": "p10_critical_period", "P11": "p11_grokking", "P7": "p07_jacobian", "P6": "p06_adversarial",
}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fresh", action="store_true", help="forget the record of what is run")
    parser.add_argument("--only", nargs="*", default=[], help="shapes to run, e.g. P4")
    parser.add_argument("--list", action="store_true", help="run nothing; print the record")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    record = json.loads(RECORD.read_text()) if RECORD.exists() else {"shapes": {}}
    for name in (chosen.only or FILES) if chosen.fresh else ():
        record["shapes"].pop(name, None)
    for name in FILES:
        if not chosen.list and (not chosen.only or name in chosen.only):
            measure(name, record)
        if name in record["shapes"]:
            show(record["shapes"][name])
    counts: dict[str, int] = {}
    for row in record["shapes"].values():
        counts[row["verdict"]] = counts.get(row["verdict"], 0) + 1
    print(
        f"\n{', '.join(f'{n} {verdict}' for verdict, n in counts.items())}; {_seconds(record):.0f} s of processor time"
    )


def measure(name: str, record: dict[str, Any]) -> None:
    """Run what the record does not hold of one shape."""
    try:
        shape = importlib.import_module(f"benchmarks.reproduce.{FILES[name]}").SHAPE
    except ImportError as fault:
        record["shapes"][name] = {"id": name, "verdict": "not run", "why": f"{fault}"}
        return write(record)
    missing = [need for need in shape.needs if not hasattr(temperance, need)]
    row = head(shape)
    if missing:
        record["shapes"][name] = {**row, "verdict": "not run", "why": f"{', '.join(missing)} is not in this version"}
        return write(record)
    before = record["shapes"].get(name, {})
    same = all(before.get(key) == row[key] for key in ("settings", "seeds"))
    done: list[dict[str, float]] = before.get("per_seed", []) if same else []
    seconds = before.get("cpu_seconds", 0.0) if same else 0.0
    for seed in range(len(done), shape.seeds):
        started = time.process_time()
        done.append(shape.run(seed))
        seconds += time.process_time() - started
        record["shapes"][name] = finished(shape, row, done, seconds)
        write(record)
    record["shapes"][name] = finished(shape, row, done, seconds)
    return write(record)


def head(shape: Shape) -> dict[str, Any]:
    return {
        "id": shape.id, "claim": shape.claim, "paper": shape.paper, "settings": shape.settings, "seeds": shape.seeds,
    }  # fmt: skip


def finished(shape: Shape, row: dict[str, Any], done: list[dict[str, float]], seconds: float) -> dict[str, Any]:
    judged = shape.verdict(done)
    if len(done) < shape.seeds:
        judged["verdict"] = "unfinished"
    return {**row, **judged, "per_seed": done, "cpu_seconds": round(seconds, 1)}


def show(row: dict[str, Any]) -> None:
    print(f"\n{row['id']}  {row['verdict'].upper()}  {row.get('claim', '')}")
    print(f"    paper: {row.get('paper', '-')}")
    if row["verdict"] == "not run":
        print(f"    why: {row['why']}")
    for one in row.get("checks", ()):
        mark = "yes" if one["clear"] else "yes, interval crosses" if one["holds"] else "NO"
        print(
            f"    {one['words']}: {one['mean']:.4f} [{one['low']:.4f}, {one['high']:.4f}], {one['n']} seeds; "
            f"wanted {one['bound']}: {mark}",
            flush=True,
        )


def _seconds(record: dict[str, Any]) -> float:
    return float(sum(row.get("cpu_seconds", 0.0) for row in record["shapes"].values()))


def write(record: dict[str, Any]) -> None:
    """Write the record in one piece."""
    record |= {
        "command": "python -m benchmarks.reproduce", "torch": torch.__version__, "python": platform.python_version(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, one thread used", "interval": "95 % t over seeds",
    }  # fmt: skip
    waiting = RECORD.with_suffix(".tmp")
    waiting.write_text(json.dumps(record, indent=1) + "\n")
    os.replace(waiting, RECORD)


if __name__ == "__main__":
    main()
