"""What four choices of ours save beside the usual way, as ratios within one run.

    OMP_NUM_THREADS=1 python benchmarks/small_costs.py

- ``softmax``: log softmax over the last axis, ours (turned where the classes are few) over torch's, per width, with its
  gradient. ``kit.classes`` turns below a width that depends on the registers of the CPU; the record shows both sides.
- ``adamw``: a step of the study's AdamW over one of ``torch.optim.AdamW`` (its default on a CPU) and over its fused
  form, per count of parameters; and the seconds of CPU of the first step in a fresh process.
- ``workers``: seconds from start to answer of a process that imports what a worker needs, over those of a copy (fork)
  of one that has done so.
- ``scoring``: CPU-seconds in which a study calibrates the answers of one trial by a temperature, and by all the maps of
  which the best ships, per rows × classes, with the log loss after each (rows answered by a map that did not see them).

Each ratio is the median over rounds in which both sides run one after the other, with its quartiles. The record is
``benchmarks/records/small_costs.json``.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy.special import softmax
from torch import nn

from temperance.core.kit.classes import log_softmax
from temperance.evaluation.calibration import calibrate
from temperance.evaluation.calibration.temperature import Temperature
from temperance.training.adamw import AdamW

RECORD = Path(__file__).parent / "records" / "small_costs.json"
ROUNDS, FRESH = 21, 3
FIRST_STEP = (
    "import time, torch; from {} import AdamW; m = torch.nn.Linear(64, 64); m(torch.ones(2, 64)).sum().backward(); "
    "a = time.process_time(); AdamW(m.parameters()).step(); print(time.process_time() - a)"
)
LOADED = "import temperance.study.worker, temperance.training.loop, temperance.models, temperance.evaluation"


def spent(work: Callable[[], object], times: int) -> float:
    """Return the CPU-seconds of one call."""
    began = time.process_time()
    for _ in range(times):
        work()
    return (time.process_time() - began) / times


def ratio(ours: Callable[[], object], theirs: Callable[[], object], times: int) -> dict[str, float]:
    """Return the median and quartiles of ours over theirs, and the median CPU-microseconds of each."""
    spent(ours, times), spent(theirs, times)
    pairs = [(spent(ours, times), spent(theirs, times)) for _ in range(ROUNDS)]
    low, middle, high = statistics.quantiles([a / b for a, b in pairs], n=4)
    return {
        "ratio": round(middle, 3), "low": round(low, 3), "high": round(high, 3),
        "ours_us": round(1e6 * statistics.median(a for a, _ in pairs), 1),
        "theirs_us": round(1e6 * statistics.median(b for _, b in pairs), 1),
    }  # fmt: skip


def softmaxes() -> dict[str, Any]:
    """Return ratios by rows × classes."""
    found = {}
    for rows in (256, 4096):
        for classes in (2, 3, 5, 7, 8, 10, 15, 16, 32):
            logits = torch.randn(rows, classes, requires_grad=True)

            def once(function: Callable[..., torch.Tensor], x: torch.Tensor = logits) -> None:
                torch.autograd.grad(function(x).sum(), x)

            found[f"{rows}x{classes}"] = ratio(
                lambda: once(log_softmax), lambda: once(lambda x: torch.log_softmax(x, -1)), 20
            )
    return found


def optimizers() -> dict[str, Any]:
    """Return ratios by width of a net of three layers, and the first step of each in a fresh process."""
    found: dict[str, Any] = {}
    for width in (32, 128, 512):
        nets = [nn.Sequential(*(nn.Linear(width, width) for _ in range(3))) for _ in range(3)]
        for net in nets:
            net(torch.ones(2, width)).sum().backward()
        own, plain, fused = (
            AdamW(nets[0].parameters()),
            torch.optim.AdamW(nets[1].parameters()),
            torch.optim.AdamW(nets[2].parameters(), fused=True),
        )
        for name, theirs in (("default", plain), ("fused", fused)):
            found[f"{width}_{name}"] = ratio(own.step, theirs.step, 10)
    for room in ("temperance.training.adamw", "torch.optim"):
        ran = [fresh(FIRST_STEP.format(room)) for _ in range(FRESH)]
        found[f"first_step_seconds_{room}"] = round(statistics.median(float(one) for one in ran), 3)
    return found


def fresh(code: str) -> str:
    """Return what a fresh process prints."""
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout


def workers() -> dict[str, float]:
    """Return the wall seconds of a process that loads what a worker needs, and of a copy of one that has."""
    begun = []
    for _ in range(FRESH):
        began = time.perf_counter()
        fresh(LOADED)
        begun.append(time.perf_counter() - began)
    copies = fresh(
        f"import os, time; {LOADED}\n"
        f"for _ in range({FRESH}):\n"
        "    a = time.perf_counter(); pid = os.fork()\n"
        "    if pid == 0: os._exit(0)\n"
        "    os.waitpid(pid, 0); print(time.perf_counter() - a)\n"
    )
    copied = statistics.median(float(line) for line in copies.split())
    return {"started_seconds": round(statistics.median(begun), 3), "copied_seconds": round(copied, 4)}


def scoring() -> dict[str, Any]:
    """Return seconds and log losses by rows × classes, of answers that are too sure."""
    found = {}
    for rows, classes in ((240, 2), (8000, 2), (2000, 5), (1400, 10), (5000, 10)):
        draws = np.random.default_rng(0)
        truth = draws.integers(0, classes, rows)
        logits = draws.normal(size=(rows, classes))
        logits[np.arange(rows), truth] += 3.0
        answers = softmax(1.5 * logits, axis=1)
        cell: dict[str, float] = {}
        for name, candidates in (("temperature", (Temperature,)), ("all", None)):
            ran = []
            for _ in range(FRESH):
                began = time.process_time()
                made = calibrate(answers, truth, candidates=candidates)
                ran.append(time.process_time() - began)
            cell |= {
                f"{name}_seconds": round(statistics.median(ran), 3),
                f"{name}_log_loss": round(float(made.after), 4),
            }
        found[f"{rows}x{classes}"] = cell
    return found


def main() -> None:
    """Measure all and write the record."""
    torch.set_num_threads(1)
    record = {
        "command": "OMP_NUM_THREADS=1 python benchmarks/small_costs.py", "load_before": round(os.getloadavg()[0], 2),
        "softmax": softmaxes(), "adamw": optimizers(), "workers": workers(),
        "scoring": scoring(),
        "machine": {"cores": os.cpu_count(), "processor": platform.processor() or platform.machine(),
                    "capability": torch.backends.cpu.get_cpu_capability()},
        "versions": {"python": platform.python_version(), "torch": torch.__version__},
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
    }  # fmt: skip
    RECORD.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(record, indent=1))


if __name__ == "__main__":
    main()
