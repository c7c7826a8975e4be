"""Time of the whole command ``temperance study`` against its budget.

    python benchmarks/budget.py --rows 300,50000 --budgets 20s,30s,60s,2m

Each cell is a process started as a user would start it, on a generated table (eight numbers, two categories, two
classes), clocked from the start of the process to its end: bundle, cards and report are written by then.
``fits_share`` is the share of budget × workers that trials held which entered the choice; ``fits_wall_share`` the share
of the budget in which at least one of them ran. A record per
cell in ``benchmarks/records/budget``; cells that have one are not run again (``--again`` runs them anew).
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).parent
COMMAND = str(Path(sys.executable).with_name("temperance"))
RECORDS = HERE / "records" / "budget"
WRITTEN = ("study.json", "report.html", "leaderboard.csv", "model_card.md", "dataset_card.md", "bundle/bundle.json")
UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0}


def generate(path: Path, rows: int) -> None:
    import polars as pl

    rng = np.random.default_rng(0)
    x = rng.normal(size=(rows, 8))
    city, kind = rng.integers(0, 12, rows), rng.integers(0, 3, rows)
    score = x[:, 0] * x[:, 1] + np.sin(2 * x[:, 2]) + 0.5 * x[:, 3] + 0.3 * (city % 4) - 0.4 * kind
    y = np.where(score + rng.logistic(size=rows) > 0.2, "yes", "no")
    frame = {f"x{i}": np.where(rng.random(rows) < 0.02, np.nan, x[:, i]) for i in range(8)}
    frame |= {"city": [f"city {k}" for k in city], "kind": [f"kind {k}" for k in kind], "y": y}
    pl.DataFrame(frame).fill_nan(None).write_csv(path)


def seconds(text: str) -> float:
    return float(text[:-1]) * UNITS[text[-1]]


def measure(rows: int, budget: str, seed: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="budget-") as name:
        table, out = Path(name) / "table.csv", Path(name) / "study"
        generate(table, rows)
        command = [COMMAND, "study", str(table), "--target", "y", "--budget", budget,
                   "--seed", str(seed), "--out", str(out), "--quiet"]  # fmt: skip
        began = time.perf_counter()
        done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"})
        took = time.perf_counter() - began
        if done.returncode:
            return {"status": "refused or failed", "said": done.stderr[-1500:], "wall_seconds": round(took, 2)}
        document = json.loads((out / "study.json").read_text())
        winner = document["winner"]
        missing = [file for file in WRITTEN if not (out / file).exists()]
        return {
            "status": "done", "wall_seconds": round(took, 2), "over_percent": over(took, budget),
            "not_written": missing,
            "trials": len(document["trials"]),
            "trained": sum(t["status"] == "done" for t in document["trials"]),
            "workers": document["machine"]["workers"], "fits_seconds": document["budget"]["fits"]["seconds"],
            "fits_share": document["budget"]["fits"]["share"],
            "fits_wall_share": round(covered(out / "ledger.jsonl") / seconds(budget), 4),
            "spent": document["budget"]["spent"], "reserved": document["budget"].get("reserved"),
            "left_out": [entry["what"] for entry in document["budget"]["left_out"]],
            "winner": next(t["name"] for t in document["trials"] if t["id"] == winner["trial"]),
        }  # fmt: skip


def covered(ledger: Path) -> float:
    """Return the seconds in which at least one trial ran that entered the choice, by the events of the ledger."""
    began: dict[str, float] = {}
    spans = []
    for row in map(json.loads, ledger.read_text().splitlines()):
        if row["event"] == "start":
            began[row["spec"]["id"]] = row["at"]
        elif row["event"] == "trial" and row["quality"] is not None:
            spans.append((began[row["spec"]["id"]], row["at"]))
    total, until = 0.0, 0.0
    for start, end in sorted(spans):
        total += max(0.0, end - max(start, until))
        until = max(until, end)
    return total


def over(took: float, budget: str) -> float:
    """Return by how many per cent a command overran its budget; negative: it ended earlier."""
    return round(100 * (took / seconds(budget) - 1), 1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", default="300,50000")
    parser.add_argument("--budgets", default="20s,30s,60s,2m,10m")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--records", type=Path, default=RECORDS)
    parser.add_argument("--again", action="store_true")
    given, _ = parser.parse_known_args()  # `make bench ARGS=…` gives all scripts the same
    given.records.mkdir(parents=True, exist_ok=True)
    for budget in given.budgets.split(","):
        for rows in map(int, given.rows.split(",")):
            path = given.records / f"{rows}-{budget}-s{given.seed}.json"
            if path.exists() and not given.again:
                continue
            before = os.getloadavg()[0]
            record = {
                "benchmark": "budget", "rows": rows, "budget": budget, "seed": given.seed,
                **measure(rows, budget, given.seed), "load_before": before, "load_after": os.getloadavg()[0],
                "commit": revision(), "created": datetime.now(UTC).isoformat(timespec="seconds"),
                "machine": {"cores": os.cpu_count(), "system": platform.platform()},
            }  # fmt: skip
            path.write_text(json.dumps(record, indent=1))
            keys = ("rows", "budget", "status", "wall_seconds", "over_percent", "trained", "fits_share", "said")
            print({k: record[k] for k in keys if k in record}, flush=True)


def revision() -> str:
    """Return the commit, with ``+changes`` where the sources differ from it."""
    run = ["git", "-C", str(HERE.parent)]
    head = subprocess.run([*run, "rev-parse", "--short=12", "HEAD"], capture_output=True, text=True).stdout.strip()
    changed = subprocess.run([*run, "status", "--porcelain", "--", "src"], capture_output=True, text=True).stdout
    return head + ("+changes" if changed.strip() else "")


if __name__ == "__main__":
    main()
