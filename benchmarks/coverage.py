"""Do the report's numbers hold? Simulated studies whose truth is known from 50,000 fresh rows of the same law.

    OMP_NUM_THREADS=1 python benchmarks/coverage.py --studies 200 --budget 1run
    python benchmarks/coverage.py --summary

Each study draws a law of its own (binary with 15–50 % positives, 3–5 classes, or a value with normal, heavy-tailed or
uneven noise; linear parts, thresholds and pairs; half of them with categories), 300 to 1,500 rows of it, and fits with
one worker. Asked of each: does the 95 % interval of every test figure hold the figure of the shipped model on fresh
rows; and how much better does the shipped model's *selection* figure look than the truth, in its own standard errors
(optimism). ``robustness`` has no truth here, ``ece_floor`` has no interval, ``interval_width`` is fixed before the test
rows are seen: they are left out. A refit on more rows
makes the shipped model better than what was selected, which hides optimism; the test's own error, which must be 0 on
average, stands beside it. One line per study in ``cells.jsonl``; studies that have a line are not run again.

With ``--inline`` (the default) the jobs of a study run in this process, one after the other, instead of in a worker
process: the same functions, without 3 s of start per study; half-trained trials are never discarded.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

import temperance
from temperance.data import read
from temperance.evaluation.metrics.registry import measure
from temperance.evaluation.prediction import observe
from temperance.records.statistics import wilson

HERE = Path(__file__).parent
RECORDS = HERE / "records" / "coverage"
FRESH = 50_000
Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Law:
    """How rows come about; ``draw`` gives any number of them."""

    task: str
    features: int
    levels: tuple[int, ...]
    truth: Callable[[np.random.Generator, Array], Array]

    def draw(self, rng: np.random.Generator, rows: int) -> tuple[pl.DataFrame, Array]:
        x = rng.normal(size=(rows, self.features))
        codes = [rng.integers(0, levels, rows) for levels in self.levels]
        shifts = [np.linspace(-1, 1, levels)[c] for c, levels in zip(codes, self.levels, strict=True)]
        answer = self.truth(rng, np.column_stack([x, *shifts]) if shifts else x)
        frame = {f"x{i}": x[:, i] for i in range(self.features)}
        frame |= {f"kind{i}": np.array([f"k{v}" for v in c]) for i, c in enumerate(codes)}
        return pl.DataFrame(frame), answer


def score(rng: np.random.Generator, width: int) -> Callable[[Array], Array]:
    """Return a random function of the inputs: linear, thresholds, pairs; about unit variance."""
    weights = rng.normal(size=width) * (rng.random(width) < 0.6)
    parts = rng.dirichlet(np.ones(3)) ** 0.5
    steps = [(int(rng.integers(width)), rng.normal() * 0.7, rng.normal()) for _ in range(3)]
    pairs = [(*rng.choice(width, 2, replace=False), rng.normal()) for _ in range(2)]

    def value(x: Array) -> Array:
        linear = x @ weights / max(float(np.linalg.norm(weights)), 1e-9)
        stepped = sum(w * np.sign(x[:, i] - at) for i, at, w in steps) / 2
        paired = sum(w * x[:, i] * x[:, j] for i, j, w in pairs) / 1.5
        return parts[0] * linear + parts[1] * stepped + parts[2] * paired

    return value


def law(rng: np.random.Generator) -> Law:
    task = str(rng.choice(["binary", "multiclass", "regression"], p=[0.4, 0.25, 0.35]))
    features, strength = int(rng.integers(4, 13)), float(rng.uniform(0.7, 3.0))
    levels = tuple(int(v) for v in rng.integers(2, 9, size=2)) if rng.random() < 0.5 else ()
    width = features + len(levels)
    if task == "regression":
        return Law(task, features, levels, valued(rng, score(rng, width), strength))
    count = 2 if task == "binary" else int(rng.integers(3, 6))
    found = [score(rng, width) for _ in range(count)]
    bias = rng.normal(size=count) * 0.5
    if task == "binary":
        bias[1] = bias[0] - float(rng.uniform(0, 1.7))

    def answer(noise: np.random.Generator, x: Array) -> Array:
        logits = np.stack([strength * f(x) + b for f, b in zip(found, bias, strict=True)], axis=1)
        picked = (logits + noise.gumbel(size=logits.shape)).argmax(axis=1)
        return np.array([f"class{c}" for c in picked])

    return Law("classification", features, levels, answer)


def valued(rng: np.random.Generator, f: Callable[[Array], Array], strength: float) -> Callable[..., Array]:
    kind, unit = str(rng.choice(["normal", "heavy", "uneven"])), float(10 ** rng.uniform(-1, 4))

    def answer(noise: np.random.Generator, x: Array) -> Array:
        error = noise.standard_t(4, len(x)) / 2**0.5 if kind == "heavy" else noise.normal(size=len(x))
        spread = 0.4 + np.abs(x[:, 0]) if kind == "uneven" else 1.0
        return unit * (f(x) + spread * error / strength)

    return answer


def study(number: int, budget: str) -> dict[str, Any]:
    rng = np.random.default_rng([2026, number])
    made = law(rng)
    rows = round(float(np.exp(rng.uniform(np.log(300), np.log(1500)))))
    inputs, answers = made.draw(rng, rows)
    began, cpu = time.perf_counter(), time.process_time()
    task = "regression" if made.task == "regression" else "classification"
    model = temperance.fit(inputs, answers, budget=budget, task=task, workers=1, random_state=number, device="cpu")
    took, cpu = time.perf_counter() - began, time.process_time() - cpu
    document, bundle = model.study_, model.predictor_.bundle
    fresh, truth = made.draw(rng, FRESH)
    table = read((fresh, truth), schema=bundle.schema).table
    known = {m.name: m.value for m in measure(observe(bundle, table))}
    winner = document["winner"]
    trial = next(t for t in document["trials"] if t["id"] == winner["trial"])
    metric = document["metric"]["name"]
    return {
        "study": number, "task": task, "classes": len(bundle.schema.target.classes), "rows": rows, "metric": metric,
        "winner": trial["name"], "trials": len(document["trials"]), "seconds": round(took, 2),
        "cpu_seconds": round(cpu, 2), "truth": {k: round(float(v), 7) for k, v in known.items()},
        "test": {k: figure(m) for k, m in winner["test"].items() if k in known and m["low"] is not None},
        "selection": figure(trial["selection"][metric]),
    }  # fmt: skip


def figure(row: dict[str, Any]) -> dict[str, Any]:
    return {key: row[key] for key in ("value", "low", "high", "n")}


def inline() -> bool:
    """Have studies run their jobs in this process; False where this version has no seam for other workers."""
    try:
        from temperance.study import desk
        from temperance.study.jobs import safe
        from temperance.study.runner import Runner
        from temperance.study.worker import action
        from temperance.study.workers import Answer, Lease, Workers
    except ImportError:
        return False
    import torch

    torch.set_num_threads(1)

    class Here(Workers):
        """One worker: this process. A job runs when its answer is waited for."""

        count = 1

        def __init__(self, count: int, folder: Path, *, task: str = "", device: str = "cpu") -> None:
            self.folder, self.lease, self.jobs, self.runner = folder, None, 0, None

        @property
        def idle(self) -> int:
            return int(self.lease is None)

        @property
        def running(self) -> list[Any]:
            return [] if self.lease is None else [self.lease]

        def start(self, kind: str, **values: Any) -> Any:
            self.jobs += 1
            job = {"job": kind, "number": self.jobs, "folder": str(self.folder), "task": "", "device": "cpu",
                   "stop": str(self.folder / "never"), **values}  # fmt: skip
            self.lease = Lease(self.jobs, job, since=time.monotonic())
            return self.lease

        def wait(self, seconds: float) -> list[Any]:
            lease = self.lease
            if lease is None:
                return []
            self.runner = self.runner or Runner(self.folder, device="cpu")
            event = safe(lambda: action(lease.kind)(self.runner, lease.job, lambda _: {"continue": True}))
            self.lease = None
            plain = json.loads(json.dumps({**event, "job": lease.kind, "number": lease.number}, default=as_plain))
            return [Answer(lease, plain, lambda _: None)]

        def stop(self, lease: Any) -> None:
            lease.stopped = True

        def kill(self, lease: Any) -> None:
            self.lease = None

        def close(self) -> None:
            self.lease = None

    desk.Processes = Here  # type: ignore[misc,assignment]
    return True


def as_plain(value: Any) -> Any:
    return value.tolist() if hasattr(value, "tolist") else value.to_dict()


def summary(records: Path) -> dict[str, Any]:
    """Return the share of intervals that hold the truth, and optimism in standard errors, with 95 % intervals."""
    cells = [json.loads(line) for line in (records / "cells.jsonl").read_text().splitlines()]
    held: dict[str, list[bool]] = {}
    for cell in cells:
        for name, m in cell["test"].items():
            if name == "interval_width":
                continue
            held.setdefault(name, []).append(m["low"] <= cell["truth"][name] <= m["high"])
    decides = [c["test"][c["metric"]] | {"truth": c["truth"][c["metric"]]} for c in cells]
    selects = [c["selection"] | {"truth": c["truth"][c["metric"]]} for c in cells]
    return {
        "benchmark": "coverage", "studies": len(cells), "settings": sorted({json.dumps(c["ran"]) for c in cells}),
        "median_seconds": round(float(np.median([c["seconds"] for c in cells])), 2),
        "of_the_deciding_metric": covered([m["low"] <= m["truth"] <= m["high"] for m in decides]),
        "by_metric": {name: covered(hits) for name, hits in sorted(held.items())},
        "selection_optimism_in_sd": standardized(selects), "test_error_in_sd": standardized(decides),
        "selection_interval_holds_truth": covered([m["low"] <= m["truth"] <= m["high"] for m in selects]),
        "optimism_by_rows": {words: standardized([s for s, c in zip(selects, cells, strict=True) if a <= c["rows"] < b])
                             for words, a, b in (("under 700", 0, 700), ("700 and more", 700, 9999))},
        "optimism_by_task": {task: standardized([s for s, c in zip(selects, cells, strict=True) if c["task"] == task])
                             for task in sorted({c["task"] for c in cells})},
    }  # fmt: skip


def covered(hits: list[bool]) -> dict[str, Any]:
    span = wilson(sum(hits), len(hits))
    return {
        "share": round(sum(hits) / len(hits), 4),
        "low": round(span.low, 4),
        "high": round(span.high, 4),
        "n": len(hits),
    }


def standardized(rows: list[dict[str, Any]]) -> dict[str, Any] | None:
    """Return the mean of (truth − figure) / standard error of the figure; positive: the figure looks too good."""
    if len(rows) < 2:
        return None
    z = np.array([(m["truth"] - m["value"]) / max((m["high"] - m["low"]) / 3.92, 1e-12) for m in rows])
    half = 1.96 * float(z.std(ddof=1)) / len(z) ** 0.5
    return {"mean": round(float(z.mean()), 3), "low": round(float(z.mean()) - half, 3),
            "high": round(float(z.mean()) + half, 3), "sd": round(float(z.std(ddof=1)), 3), "n": len(z)}  # fmt: skip


def revision() -> str:
    """Return the commit, with ``+changes`` where the sources differ from it."""
    run = ["git", "-C", str(HERE.parent)]
    head = subprocess.run([*run, "rev-parse", "--short=12", "HEAD"], capture_output=True, text=True).stdout.strip()
    changed = subprocess.run([*run, "status", "--porcelain", "--", "src"], capture_output=True, text=True).stdout
    return head + ("+changes" if changed.strip() else "")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--studies", type=int, default=200)
    parser.add_argument("--budget", default="1run")
    parser.add_argument("--inline", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--records", type=Path, default=RECORDS)
    parser.add_argument("--summary", action="store_true", help="only write summary.json, of the lines there are")
    given, _ = parser.parse_known_args()  # `make bench ARGS=…` gives all scripts the same
    given.records.mkdir(parents=True, exist_ok=True)
    path = given.records / "cells.jsonl"
    done = {json.loads(line)["study"] for line in path.read_text().splitlines()} if path.exists() else set()
    here = given.inline and not given.summary and inline()
    ran = {"budget": given.budget, "inline": here, "commit": revision(), "temperance": temperance.__version__}
    for number in [] if given.summary else range(given.studies):
        if number not in done:
            record = study(number, given.budget)
            record |= {"ran": ran, "created": datetime.now(UTC).isoformat(timespec="seconds")}
            with path.open("a") as file:
                file.write(json.dumps(record) + "\n")
            print(number, record["task"], record["rows"], "rows", record["cpu_seconds"], "CPU s", flush=True)
    found = summary(given.records)
    (given.records / "summary.json").write_text(json.dumps(found, indent=1) + "\n")
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
