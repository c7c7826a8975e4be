"""False alarms of served models on an unchanging law, and the label-free estimate beside the truth.

    python benchmarks/served_alarms.py [--seeds 3]      # about a minute a cell; finished cells are kept

Per cell a study (``--budget 1run``) on 200, 800, 1,500 or 5,000 generated rows, its bundle behind ``temperance serve``
as a process of its own, and fresh rows of the same law over HTTP, 50 a request. Counted: whether any channel ever
alarmed (stated: at most rows / 200,000), and the first row at which it did. Then ``expected_quality`` of the last 4,000
answers against their truth. Last, 4,000 rows whose answers have nothing to do with the inputs any more, with a fifth of
the labels sent back: what is said then. Nothing was tuned on these laws.

Record: benchmarks/records/served_alarms.json.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
import numpy as np

from temperance import __version__
from temperance.deployment import load
from temperance.monitoring.degradation import expected_quality

RECORD = Path(__file__).parent / "records" / "served_alarms.json"
SIZES, TASKS = (200, 800, 1500, 5000), ("classification", "regression")
NAMES = [*(f"x{j}" for j in range(6)), "kind"]
BATCH, LAST = 50, 4000
COMMAND = "from temperance.cli import main; main()"


def law(count: int, task: str, rng: np.random.Generator) -> tuple[list[dict[str, Any]], np.ndarray]:
    """Return rows as JSON objects and their truth: noisy enough that a model which learnt its rows would show it."""
    x = rng.normal(size=(count, 6))
    kind = rng.integers(0, 4, count)
    score = 1.2 * x[:, 0] * x[:, 1] + x[:, 2] + 0.7 * (kind == 2) + 1.5 * rng.normal(size=count)
    truth = score if task == "regression" else np.where(score > 0, "yes", "no")
    rows = [dict(zip(NAMES, [*map(float, a), f"k{b}"], strict=True)) for a, b in zip(x.tolist(), kind, strict=True)]
    return rows, truth


def study(folder: Path, size: int, task: str, seed: int) -> Path:
    """Run a study on ``size`` rows of the law and return its bundle."""
    rows, truth = law(size, task, np.random.default_rng([seed, size]))
    with (folder / "data.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, [*NAMES, "y"])
        writer.writeheader()
        writer.writerows({**row, "y": y} for row, y in zip(rows, truth, strict=True))
    subprocess.run(
        [sys.executable, "-c", COMMAND, "study", str(folder / "data.csv"), "--target", "y", "--budget", "1run",
         "--seed", str(seed), "--out", str(folder / "study"), "--workers", "1", "--quiet"],
        check=True, capture_output=True, timeout=600,
    )  # fmt: skip
    return folder / "study" / "bundle"


def post(address: str, path: str, body: Any) -> Any:
    request = urllib.request.Request(f"{address}{path}", json.dumps(body).encode())
    with urllib.request.urlopen(request, timeout=60) as reply:
        return json.loads(reply.read())


def told(address: str) -> dict[str, Any]:
    with urllib.request.urlopen(f"{address}/health", timeout=60) as reply:
        monitor: dict[str, Any] = json.loads(reply.read())["monitor"]
    return monitor


def traffic(address: str, count: int, task: str, rng: np.random.Generator) -> dict[str, Any]:
    """Send fresh rows; return the first alarm and the last answers with their truth."""
    first, answers, truths, channels = None, [], [], []
    for sent in range(BATCH, count + 1, BATCH):
        rows, truth = law(BATCH, task, rng)
        answers += post(address, "/predict", {"rows": rows})["predictions"]
        truths += truth.tolist()
        answers, truths = answers[-LAST:], truths[-LAST:]
        if first is None and (alarms := told(address)["alarms"]):
            first, channels = sent, alarms
    return {"first_alarm": first, "alarms": channels, "answers": answers, "truth": truths}


def quality(folder: Path, seen: dict[str, Any]) -> dict[str, Any]:
    """Return what is expected of the last answers without labels, and what is true of them."""
    bundle = load(folder)
    assert bundle.reference is not None
    if bundle.classes:
        given = np.array([[row["probabilities"][name] for name in bundle.classes] for row in seen["answers"]])
        true = float(np.mean([row["prediction"] == y for row, y in zip(seen["answers"], seen["truth"], strict=True)]))
    else:
        given = np.array([row["prediction"] for row in seen["answers"]])
        true = float(np.mean((given - np.array(seen["truth"])) ** 2))
    found = expected_quality(bundle.reference, given)
    covered = None if found.low is None or found.high is None else bool(found.low <= true <= found.high)
    return {"truth": true, "expected": found.value, "low": found.low, "high": found.high, "covered": covered,
            "flags": list(found.flags)}  # fmt: skip


def cell(size: int, task: str, seed: int, rows: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as name:
        began = time.monotonic()
        bundle = study(Path(name), size, task, seed)
        reference = load(bundle).reference
        assert reference is not None
        command = [sys.executable, "-c", COMMAND, "serve", str(bundle), "--port", "0"]
        server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        try:
            assert server.stdout is not None
            address = re.findall(r"http://[\w.:]+", server.stdout.readline())[0]
            seen = traffic(address, rows, task, np.random.default_rng([seed, size, 99]))
            state = told(address)
        finally:
            server.terminate()
            server.wait(timeout=60)
        return {
            "size": size, "task": task, "seed": seed, "reference_rows": int(reference["rows"]), "rows": rows,
            "channels": len(reference["channels"]), "first_alarm": seen["first_alarm"], "alarms": seen["alarms"],
            "stated": rows / (2 * state["average_run_length"]), **quality(bundle, seen),
            "seconds": round(time.monotonic() - began, 1),
        }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--sizes", type=int, nargs="*", default=SIZES)
    parser.add_argument("--out", type=Path, default=RECORD)
    given = parser.parse_args()
    record = json.loads(given.out.read_text()) if given.out.exists() else {"cells": []}
    done = {(row["size"], row["task"], row["seed"]) for row in record["cells"]}
    for seed in range(given.seeds):
        for size in given.sizes:
            for task in TASKS:
                if (size, task, seed) in done:
                    continue
                row = cell(size, task, seed, given.rows)
                record["cells"].append(row)
                print(json.dumps(row), flush=True)
                record |= summary(record["cells"])
                given.out.write_text(json.dumps(record, indent=1) + "\n")


def summary(cells: list[dict[str, Any]]) -> dict[str, Any]:
    known = [row["covered"] for row in cells if row["covered"] is not None]
    return {
        "command": "python benchmarks/served_alarms.py", "temperance": __version__, "python": platform.python_version(),
        "numpy": np.__version__, "rows_served": sum(row["rows"] for row in cells),
        "studies": len(cells), "studies_with_a_false_alarm": sum(row["first_alarm"] is not None for row in cells),
        "stated_share": max(row["stated"] for row in cells),
        "estimates": len(known), "estimates_that_cover_the_truth": sum(known),
    }  # fmt: skip


if __name__ == "__main__":
    main()
