"""Time of the whole command ``temperance study`` against its budget, and what its workers did in it.

    python benchmarks/budget.py --data 300,50000,sklearn:digits --budgets 20s,30s,60s,2m

Each cell is a process started as a user would start it, on a bundled set or a generated table of so many rows (eight
numbers, two categories, two classes), clocked from the start of the process to its end: bundle, cards and report are
written by then. All shares are of budget × workers, or of the budget:

- ``fits_share``: worker seconds of trials that entered the choice; ``cut_share``: the part of it that nets took which
  were cut at a mark, because another was clearly better, and entered with what they had.
- ``busy_share``: worker seconds of any job; ``all_busy_share``: of the budget, with a job on every worker.
- ``held``: worker seconds by kind of job (``lost``: trials that did not enter the choice).
- ``processor_share``: processor seconds of the command and its workers. Under load it says what the others left of the
  cores; the gap between it and ``busy_share`` is waiting for a core.
- ``clock``: ``quiet`` where the study's clock (and all seconds here) left out what others took of the cores, see
  ``quiet_clock``: what a quiet machine of the pace of this one would show.
- ``moments``: seconds at which the search began, it ended (the choice), the winner was tested, all was over.

A record per cell in ``benchmarks/records/budget``; cells that have one are not run again (``--again`` runs them anew).
``--show`` prints those of ``--records`` as a table and runs nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import struct
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from quiet_clock import clock

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


def measure(data: str, budget: str, seed: int, *, quiet_clock: bool = False) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="budget-") as name:
        source, out = data, Path(name) / "study"
        if data.isdigit():
            source = str(Path(name) / "table.csv")
            generate(Path(source), int(data))
        command = [COMMAND, "study", source, *(["--target", "y"] if data.isdigit() else []), "--budget", budget,
                   "--seed", str(seed), "--out", str(out), "--quiet"]  # fmt: skip
        said = Path(name) / "said"
        shown, environment = Path(name) / "clock", {**os.environ, "OMP_NUM_THREADS": "1"}
        if quiet_clock:
            shown.write_bytes(struct.pack("d", 0.0))
            paths = [str(HERE / "quiet_clock"), *filter(None, [os.environ.get("PYTHONPATH")])]
            environment |= {"QUIET_CLOCK": str(shown), "PYTHONPATH": os.pathsep.join(paths)}
        began = time.perf_counter()
        with said.open("w") as stream:
            process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=stream, env=environment)
            quiet = clock.run(process, shown) if quiet_clock else None
            _, status, used = os.wait4(process.pid, 0)
        took = time.perf_counter() - began if quiet is None else quiet
        if status:
            return {"status": "refused or failed", "said": said.read_text()[-1500:], "wall_seconds": round(took, 2)}
        document = json.loads((out / "study.json").read_text())
        rows = [json.loads(line) for line in (out / "ledger.jsonl").read_text().splitlines()]
        winner, whole = document["winner"], seconds(budget) * document["machine"]["workers"]
        return {
            "status": "done", "wall_seconds": round(took, 2), "over_percent": over(took, budget),
            "not_written": [file for file in WRITTEN if not (out / file).exists()],
            "trials": len(document["trials"]),
            "trained": sum(t["status"] == "done" for t in document["trials"]),
            "workers": document["machine"]["workers"], "fits_seconds": document["budget"]["fits"]["seconds"],
            "fits_share": document["budget"]["fits"]["share"],
            "cut_share": round(cut(rows) / whole, 4),
            **held_by(rows, seconds(budget), document["machine"]["workers"]),
            "processor_share": round((used.ru_utime + used.ru_stime) / whole, 4),
            "moments": moments(rows),
            "spent": document["budget"]["spent"], "reserved": document["budget"].get("reserved"),
            "left_out": [entry["what"] for entry in document["budget"]["left_out"]],
            "winner": next(t["name"] for t in document["trials"] if t["id"] == winner["trial"]),
            "selection": next(t["selection"] for t in document["trials"] if t["id"] == winner["trial"])
            .get(document["metric"]["name"], {}).get("value"),
        }  # fmt: skip


def held_by(rows: list[dict[str, Any]], budget: float, workers: int) -> dict[str, Any]:
    """Return what held the workers, by the events of the ledger: a job ends at its event and lasted its ``wall``."""
    spans, held = [], dict.fromkeys(("fits", "lost", "audit", "pace", "refit", "finish"), 0.0)
    for row in rows:
        kind, wall = row["event"], row.get("wall")
        if kind == "trial":
            kind, wall = "fits" if row["quality"] is not None else "lost", row["result"].get("wall")
        if kind in held and wall:
            spans.append((row["at"] - wall, row["at"]))
            held[kind] += wall
    edges = sorted([(start, 1) for start, _ in spans] + [(end, -1) for _, end in spans])
    level, since, busy = 0, 0.0, [0.0] * (workers + 1)
    for moment, step in edges:
        busy[min(level, workers)] += moment - since
        level, since = level + step, moment
    return {
        "held": {kind: round(value, 2) for kind, value in held.items()},
        "busy_share": round(sum(held.values()) / (budget * workers), 4),
        "all_busy_share": round(busy[workers] / budget, 4), "some_busy_share": round(sum(busy[1:]) / budget, 4),
    }  # fmt: skip


def cut(rows: list[dict[str, Any]]) -> float:
    """Return the worker seconds of nets that were cut at a mark and entered the choice all the same."""
    results = [row["result"] for row in rows if row["event"] == "trial" and row["quality"] is not None]
    return sum(one.get("wall", 0.0) for one in results if one.get("stopped") == "discarded")


def moments(rows: list[dict[str, Any]]) -> dict[str, float]:
    """Return the seconds at which parts of the command began or ended."""
    last = {row["event"]: row["at"] for row in rows}
    found = {"data": last["data"], "searched": max(r["at"] for r in rows if r["event"] in ("trial", "audit"))}
    found |= {"choice": last["choice"], "tested": next(r["at"] for r in rows if r.get("name") == "winner")}
    return {**found, "end": last["end"]}


def over(took: float, budget: str) -> float:
    """Return by how many per cent a command overran its budget; negative: it ended earlier."""
    return round(100 * (took / seconds(budget) - 1), 1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="300,50000", help="counts of rows of a generated table, or sklearn:NAME")
    parser.add_argument("--budgets", default="20s,30s,60s,2m,10m")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--records", type=Path, default=RECORDS)
    parser.add_argument("--again", action="store_true")
    parser.add_argument("--quiet-clock", action="store_true", help="what others take of the cores does not count")
    parser.add_argument("--show", action="store_true")
    given, _ = parser.parse_known_args()  # `make bench ARGS=…` gives all scripts the same
    if given.show:
        show(given.records)
        return
    given.records.mkdir(parents=True, exist_ok=True)
    for budget in given.budgets.split(","):
        for data in given.data.split(","):
            path = given.records / f"{data.replace(':', '-')}-{budget}-s{given.seed}.json"
            if path.exists() and not given.again:
                continue
            before = os.getloadavg()[0]
            record = {
                "benchmark": "budget", "data": data, "budget": budget, "seed": given.seed,
                **measure(data, budget, given.seed, quiet_clock=given.quiet_clock),
                "clock": "quiet" if given.quiet_clock else "wall",
                "load_before": before, "load_after": os.getloadavg()[0],
                "commit": revision(), "created": datetime.now(UTC).isoformat(timespec="seconds"),
                "machine": {"cores": os.cpu_count(), "system": platform.platform()},
            }  # fmt: skip
            path.write_text(json.dumps(record, indent=1))
            keys = ("data", "budget", "status", "wall_seconds", "over_percent", "trained", "fits_share", "cut_share",
                    "busy_share", "all_busy_share", "processor_share", "held", "moments", "load_before",
                    "said")  # fmt: skip
            print({k: record[k] for k in keys if k in record}, flush=True)


def show(records: Path) -> None:
    print("| data | budget | load | processor share | wall s | over % | fits share | busy | all busy | lost s | loss |")
    print("|" + "---|" * 11)
    for one in sorted((json.loads(p.read_text()) for p in records.glob("*.json")), key=_place):
        load = f"{one['load_before']:.0f}–{one['load_after']:.0f}" if "load_before" in one else "–"
        if one["status"] != "done":
            print(f"| {one['data']} | {one['budget']} | {load} | {one['status']} |" + " |" * 7)
            continue
        shares = (one["processor_share"], one["wall_seconds"], one["over_percent"], one["fits_share"],
                  one["busy_share"], one["all_busy_share"], one["held"]["lost"], one["selection"])  # fmt: skip
        words = " | ".join(f"{share:.4g}" for share in shares)
        print(f"| {one['data']} | {one['budget']} | {load} | {words} |")


def _place(record: dict[str, Any]) -> tuple[str, float]:
    return record["data"], seconds(record["budget"])


def revision() -> str:
    """Return the commit, with ``+changes`` where the sources differ from it."""
    run = ["git", "-C", str(HERE.parent)]
    head = subprocess.run([*run, "rev-parse", "--short=12", "HEAD"], capture_output=True, text=True).stdout.strip()
    changed = subprocess.run([*run, "status", "--porcelain", "--", "src"], capture_output=True, text=True).stdout
    return head + ("+changes" if changed.strip() else "")


if __name__ == "__main__":
    main()
