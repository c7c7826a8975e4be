"""The monitor's bars: delay at one standard deviation, false alarms on a million rows, and the label-free estimate.

    python benchmarks/monitor_bars.py            # about three minutes of CPU

Record: benchmarks/records/monitor_bars.json.

*Delay*: one of 10 numeric inputs (22 channels) moves by 1 sd; requests of one row; 40 runs, the change at a random row.
*False alarms*: 10 inputs, references of 200, 800 and 5,000 rows; --rows undrifted rows each. *Estimate*: the three
worlds of ``adapt_battery.py``; 3,000 rows after a change; ``expected_quality`` of the last 2,000 against the truth, in
points. On covariate shift it should be within 3 points or say "unknown"; on a relation that changed it should say
"unknown" once a twentieth of the labels has come.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).parent))
import numpy as np
from adapt.worlds import START, World, streams, train

from temperance import __version__
from temperance.monitoring.claims import Claim
from temperance.monitoring.degradation import expected_quality
from temperance.monitoring.monitor import Monitor
from temperance.monitoring.reference import build
from temperance.records.atomic import write_text
from temperance.records.schema import Column, Rows, Schema, Target

RECORD = Path(__file__).parent / "records" / "monitor_bars.json"
D = 10
SCHEMA = Schema(tuple(Column(f"x{i}", "numeric") for i in range(D)), Target("y", "binary", ("no", "yes")))
KINDS = ("none", "covariate", "population", "missing", "noise", "label", "concept", "unfixable")


def made(known: int, seed: int) -> Monitor:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(known, D))
    return Monitor(build(rows(x), said(x), SCHEMA, seed=seed), SCHEMA, seed=seed)


def rows(x: np.ndarray) -> Rows:
    return Rows(x, np.empty((len(x), 0), dtype=np.int32))


def said(x: np.ndarray) -> np.ndarray:
    p = 1 / (1 + np.exp(-x[:, 0] - x[:, 1]))
    return np.stack([1 - p, p], axis=1)


def delays(runs: int) -> dict[str, Any]:
    found, early = [], 0
    for run in range(runs):
        rng, monitor = np.random.default_rng([run, 1]), made(1000, run)
        begin = 2000 + int(rng.integers(0, 64))
        x = rng.normal(size=(begin + 2000, D))
        x[begin:, 3] += 1.0
        p = said(x)
        for i in range(len(x)):
            if any(v.state == "alarm" for v in monitor.observe(rows(x[i : i + 1]), p[i : i + 1])):
                early += i < begin
                found.append(i + 1 - begin)
                break
        else:
            found.append(2000)
    return {"runs": runs, "channels": len(monitor.names), "alarmed_before": early,
            "median": float(np.median(found)), "p90": float(np.quantile(found, 0.9))}  # fmt: skip


def false_alarms(count: int) -> list[dict[str, Any]]:
    out = []
    for known in (200, 800, 5000):
        rng, monitor, alarms, began = np.random.default_rng([known, 2]), made(known, known), 0, time.process_time()
        for _ in range(count // 500):
            x = rng.normal(size=(500, D))
            alarms += any(v.state == "alarm" for v in monitor.observe(rows(x), said(x)))
            if monitor.panel.alarmed.any():
                monitor.reset()
        seconds = time.process_time() - began
        out.append({"reference_rows": known, "rows": count, "alarms": alarms, "stated": count / 1e5,
                    "microseconds_a_row": round(1e6 * seconds / count, 2)})  # fmt: skip
    return out


def estimates(seeds: int) -> list[dict[str, Any]]:
    out = []
    for classes, d in ((2, 6), (5, 10)):
        for seed in range(seeds):
            world = World(classes, d, seed)
            model = train(world, seed)
            for stream in streams(world, seed):
                if stream.kind in KINDS:
                    out.append(_estimate(model, stream, f"{classes} classes, seed {seed}"))
    return out


def _estimate(model: Any, stream: Any, name: str) -> dict[str, Any]:
    monitor, claim = Monitor(model.reference, model.schema), Claim(model.reference)
    last = slice(START, START + 3000)
    some, truth = stream.rows.take(last), stream.truth[last]
    answers = model.predict(some)
    monitor.observe(some, answers)
    told = np.random.default_rng(0).random(3000) < 0.05
    verdicts = monitor.verdicts()
    right = float((answers[-2000:].argmax(axis=1) == truth[-2000:]).mean())
    without = expected_quality(model.reference, answers[-2000:], verdicts=verdicts, claim=claim)
    claim.observe(answers[told], truth[told])
    found = expected_quality(model.reference, answers[-2000:], verdicts=verdicts, claim=claim)
    return {
        "world": name, "stream": stream.name, "kind": stream.kind, "truth": round(100 * right, 2),
        "estimate": round(100 * found.value, 2), "error": round(100 * (found.value - right), 2),
        "known_without_labels": without.low is not None, "known": found.low is not None,
        "covered": None if found.low is None else bool(found.low <= right <= found.high),
    }  # fmt: skip


def summary(rows: list[dict[str, Any]]) -> dict[str, Any]:
    out = {}
    for kind in KINDS:
        own = [r for r in rows if r["kind"] == kind]
        for name, stated in (("without labels", "known_without_labels"), ("5 % of labels", "known")):
            known = [r for r in own if r[stated]]
            errors = [abs(r["error"]) for r in known]
            out[f"{kind}, {name}"] = {
                "streams": len(own), "unknown": len(own) - len(known),
                "mean_error": round(float(np.mean(errors)), 2) if errors else None,
                "worst_error": max(errors, default=None), "within_3_points": sum(e <= 3 for e in errors),
            }  # fmt: skip
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", choices=("delay", "null", "estimate"))
    parser.add_argument("--rows", type=int, default=340_000)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--out", type=Path, default=RECORD)
    given = parser.parse_args()
    record: dict[str, Any] = json.loads(given.out.read_text()) if given.out.exists() else {}
    if given.part in (None, "delay"):
        record["delay_1_sd"] = delays(40)
        print(record["delay_1_sd"], flush=True)
    if given.part in (None, "null"):
        record["undrifted"] = false_alarms(given.rows)
        print(record["undrifted"], flush=True)
    if given.part in (None, "estimate"):
        record["estimates"] = estimates(given.seeds)
        record["estimate_summary"] = summary(record["estimates"])
        print(json.dumps(record["estimate_summary"], indent=1), flush=True)
    record |= {
        "command": "python benchmarks/monitor_bars.py", "load": round(os.getloadavg()[0], 1),
        "versions": {"temperance": __version__, "numpy": np.__version__, "python": platform.python_version()},
        "not_verified": "made-up worlds only; rows do not depend on time",
    }  # fmt: skip
    write_text(given.out, json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    main()
