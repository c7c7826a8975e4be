"""One folded run beside searches: what it reaches, what it takes, how many members it ships.

    python benchmarks/one_run.py --data DIR [--half once] [--sets a,b] [--seeds 0] [--rows 1000]
    python benchmarks/one_run.py --summary

DIR has a folder per set with ``data.parquet`` and ``meta.json``. Per set and seed: a quarter of the rows, at most
2,000, is test; of the others at most ``--rows`` are for development. Beside each other, on the same rows:

- *one run*: the default folded run of a study (banks × slots, readings weighed);
- *default strengths*: the same run with the default strengths in both slots;
- *hold-out search*: TPE, best of 50 trials as people run them: each trains our net of 16 members on four fifths, is
  stopped at the best of 20 looks at the other fifth, and the best by that fifth is taken;
- *folded search*: TPE, best of 12 folded trainings on the same banks, each stopped at its best out-of-fold reading and
  chosen by its out-of-fold loss; it ships its banks, so it sees all rows as the one run does;
- *one training*: the default net on four fifths, trained to its end; its seconds are the unit of price.

Losses are log loss without calibration, or squared error over the variance of the development rows. Seconds are of the
process (one thread). The record is a line per cell; cells that it holds are not run again.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("MKL_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).parent))
import numpy as np
import torch
from halves import SEEN, half

from temperance.data import read, save_roles
from temperance.data.roles import split
from temperance.records.roles import Roles
from temperance.study import folded
from temperance.study.plan import default_settings
from temperance.study.readings import Mixed, Readings, prior_of
from temperance.study.runner import Runner
from temperance.study.search.portfolio import average, folded_specs
from temperance.study.search.tpe import TPE
from temperance.study.serving import served_cost
from temperance.study.spec import TrialSpec
from temperance.study.store import save_table
from temperance.training.settings import TrainSettings

HERE = Path(__file__).parent
RECORD = HERE / "records" / "one_run.jsonl"
NONE = np.empty(0, dtype=np.int64)
HOLD_OUT, FOLDED, LOOKS = 50, 12, 20
LEAST = 0.001  # losses below it are nothing to be won on
LINES = ("one_run", "default_strengths", "hold_out_search", "folded_search", "one_training")


class Stopped(Readings):
    """Readings of which the best ships, all slots alike: a training that is stopped, and nothing more."""

    def mixture(self, task: str) -> Mixed:
        evidence = self._evidence()
        groups = np.array([reading for reading, _ in self._order])
        prior = prior_of(evidence, groups=groups)
        best = groups == groups[int(np.argmax(prior))]
        shares = best / best.sum()
        answers = self._mixed({}, otherwise=shares)
        picks = [folded.Pick(*self._order[i], float(shares[i])) for i in np.flatnonzero(shares)]
        return Mixed(picks, answers, answers, [])


def prepared(data: Path, name: str, seed: int, rows: int, scratch: Path) -> Runner:
    """Read a set, cut it, and open a workbench on it."""
    meta = json.loads((data / name / "meta.json").read_text())
    table = read(str(data / name / "data.parquet"), target=meta["target"], workdir=scratch / "read").table
    order = np.random.default_rng(seed).permutation(len(table))
    count = min(len(order) // 4, 2000)
    kept = np.sort(order[: count + rows])
    table = table.take(kept)
    test = np.searchsorted(kept, np.sort(order[:count]))
    dev = np.setdiff1d(np.arange(len(table)), test)
    roles = split(table.take(dev), seed=seed, test=table.take(test))
    folds = tuple((dev[a], dev[b]) for a, b in roles.folds)
    save_table(table, scratch / "table")
    save_roles(Roles(dev, NONE, NONE, NONE, test, folds), scratch / "roles.npz")
    return Runner(scratch)


def losses(runner: Runner, answer: np.ndarray, index: np.ndarray) -> np.ndarray:
    """Return per-row losses: log loss, or squared error over the variance of the development rows."""
    truth = np.asarray(runner.table.target)
    if runner.schema.target.task == "regression":
        return (answer - truth[index]) ** 2 / np.var(truth[runner.roles.train])
    return -np.log(np.maximum(answer[np.arange(len(index)), truth[index].astype(int)], 1e-7))


def tested(runner: Runner, predictor: Any) -> float:
    """Return the mean loss on the test rows."""
    index = runner.roles.test
    parts = [predictor.predict(runner.table.rows.take(index[i : i + 4096])) for i in range(0, len(index), 4096)]
    return float(losses(runner, np.concatenate(parts), index).mean())


def folded_run(runner: Runner, spec: TrialSpec) -> tuple[Any, float]:
    """Run one and return it with its seconds."""
    folder = runner.folder / "trials" / spec.id
    folder.mkdir(parents=True, exist_ok=True)
    started = time.process_time()
    return folded.run(runner, spec, folder), time.process_time() - started


def cell(data: Path, name: str, seed: int, rows: int) -> dict[str, Any]:
    """Run all lines on one set and seed."""
    with tempfile.TemporaryDirectory() as scratch:
        runner = prepared(data, name, seed, rows, Path(scratch))
        task = runner.schema.target.task
        settings = default_settings(runner.table, runner.roles, model="Tabular")
        first = folded_specs(settings=settings, task=task, seed=seed)[0]
        row: dict[str, Any] = {
            "set": name,
            "seed": seed,
            "half": half(name),
            "task": task,
            "rows": len(runner.roles.train),
        }
        folded_run(runner, first.changed(id="warm", settings={**settings, "epochs": 1.0}))  # first steps load and plan
        run, seconds = folded_run(runner, first.changed(id="one"))
        row["one_run"] = {
            "loss": tested(runner, run.fitted.predictor),
            "seconds": seconds,
            "members": run.fitted.predictor.model.members,
            "latency_ms": _latency(runner, run.fitted),
        }
        same, seconds = folded_run(runner, first.changed(id="same", slots=({}, {})))
        row["default_strengths"] = {"loss": tested(runner, same.fitted.predictor), "seconds": seconds}
        row["one_training"] = _one_training(runner, first)
        row["hold_out_search"] = _hold_out(runner, first)
        row["folded_search"] = _folded_search(runner, first)
        return row


def _latency(runner: Runner, fitted: Any) -> float:
    return float(served_cost(runner, fitted, runner.table.rows.take(runner.roles.train[:256])).latency_1_ms or 0.0)


def _one_training(runner: Runner, first: TrialSpec) -> dict[str, Any]:
    spec = first.changed(id="d", kind="cocktail", slots=())
    started = time.process_time()
    fitted = runner.fit(spec, runner.roles.folds[0][0], NONE, measure=False)
    seconds = time.process_time() - started
    return {"loss": tested(runner, fitted.predictor), "seconds": seconds, "latency_ms": _latency(runner, fitted)}


def _proposer(runner: Runner, base: TrialSpec, seed: int) -> TPE:
    steps = TrainSettings.from_dict(base.settings).steps(len(runner.roles.folds[0][0]))
    task = runner.schema.target.task
    return TPE(base, task=task, seed=seed + 1, average=average(steps), patience=10**6)


def _hold_out(runner: Runner, first: TrialSpec) -> dict[str, Any]:
    rows, held = runner.roles.folds[0]
    tpe, found, started = (
        _proposer(runner, first.changed(kind="cocktail", slots=()), first.seed),
        [],
        time.process_time(),
    )
    for _ in range(HOLD_OUT):
        spec, best = tpe.propose(), {"held": float("inf")}
        assert spec is not None

        def look(_: float, predictor: Any, best: dict[str, Any] = best) -> bool:
            loss = float(losses(runner, predictor.predict(runner.table.rows.take(held)), held).mean())
            if loss < best["held"]:
                state = {name: t.detach().clone() for name, t in predictor.model.state_dict().items()}
                best |= {"held": loss, "state": state}
            return True

        fitted = runner.fit(spec, rows, NONE, measure=False, marks=tuple(np.arange(1, LOOKS + 1) / LOOKS), tick=look)
        fitted.predictor.model.load_state_dict(best["state"])
        found.append((best["held"], tested(runner, fitted.predictor)))
        tpe.observe(spec, found[-1][0])
    return {
        "loss": min(found)[1],
        "held": min(found)[0],
        "seconds": time.process_time() - started,
        "all": [test for _, test in found],
    }


def _folded_search(runner: Runner, first: TrialSpec) -> dict[str, Any]:
    tpe, found, started = _proposer(runner, first.changed(slots=()), first.seed), [], time.process_time()
    whole = folded.Readings
    folded.Readings = Stopped  # type: ignore[misc]
    try:
        for number in range(FOLDED):
            spec = tpe.propose()
            assert spec is not None
            run, _ = folded_run(runner, spec.changed(id=f"f{number}", kind="folded"))
            dev = runner.roles.development
            held = float(losses(runner, run.selection[dev], dev).mean())
            found.append((held, tested(runner, run.fitted.predictor)))
            tpe.observe(spec, held)
    finally:
        folded.Readings = whole  # type: ignore[misc]
    return {
        "loss": min(found)[1],
        "held": min(found)[0],
        "seconds": time.process_time() - started,
        "all": [test for _, test in found],
    }


def table_sets(data: Path, wanted: str) -> list[str]:
    """Return the tables of a half; text and leak-trap sets are left out."""
    out = {"sms_spam", "trec6", "titanic", "student_portuguese", "bank_marketing_csv"}
    found = []
    for meta in sorted(data.glob("*/meta.json")):
        kind = json.loads(meta.read_text()).get("task")
        name = meta.parent.name
        table = kind in ("classification", "regression") and (meta.parent / "data.parquet").exists()
        if table and half(name) == wanted and name not in out and not name.startswith(("ts_", "cifar")):
            found.append(name)
    return found


def figures(cells: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the ratios of the one run to each other line, geometric means with 95 % bootstrap intervals over sets."""
    names = sorted({r["set"] for r in cells})
    found: dict[str, Any] = {"sets": len(names), "cells": len(cells), "seen before": sorted(set(names) & SEEN)}
    for other in LINES[1:]:
        pairs = [[(r["one_run"], r[other]) for r in cells if r["set"] == name] for name in names]
        logs = np.array([np.mean([np.log(max(a["loss"], LEAST) / max(b["loss"], LEAST)) for a, b in p]) for p in pairs])
        rng = np.random.default_rng(0)
        draws = [logs[rng.integers(len(logs), size=len(logs))].mean() for _ in range(4000)]
        low, high = np.exp(np.quantile(draws, [0.025, 0.975]))
        price = np.median([r["one_run"]["seconds"] / r[other]["seconds"] for r in cells])
        found[other] = {"ratio": round(float(np.exp(logs.mean())), 3), "low": round(float(low), 3),
                        "high": round(float(high), 3), "better": int((logs < 0).sum()),
                        "worse": int((logs > 0).sum()), "seconds": round(float(price), 3)}  # fmt: skip
    latency = np.median([r["one_run"]["latency_ms"] / r["one_training"]["latency_ms"] for r in cells])
    members = max(r["one_run"]["members"] for r in cells)
    return {**found, "members": members, "latency": round(float(latency), 2)}


def page(rows: list[dict[str, Any]], by_half: dict[str, Any]) -> str:
    """Return the figures and every cell as Markdown."""
    lines = [f"# One run: {len(rows)} cells", "", f"Losses below {LEAST} count as {LEAST} in ratios.", ""]
    for wanted, told in by_half.items():
        lines += [
            f"## Half `{wanted}`: {told['sets']} sets", "",
            f"Looked at before November 2026: {', '.join(told['seen before']) or 'none'}.", "",
            "| one run against | loss ratio (geometric mean) | 95 % interval over sets | better | worse | seconds |",
            "|---|---|---|---|---|---|",
        ]  # fmt: skip
        for other in LINES[1:]:
            one = told[other]
            cells = (one["ratio"], f"{one['low']} to {one['high']}", one["better"], one["worse"], f"× {one['seconds']}")
            lines.append(f"| {other.replace('_', ' ')} | " + " | ".join(map(str, cells)) + " |")
        size = f"At most {told['members']} members; one row takes × {told['latency']} the time of the 16-member net."
        lines += ["", size, "", "| set | seed | " + " | ".join(one.replace("_", " ") for one in LINES) + " |",
                  "|---|---|" + "---|" * len(LINES)]  # fmt: skip
        lines += [
            f"| {r['set']} | {r['seed']} | " + " | ".join(f"{r[one]['loss']:.4f}" for one in LINES) + " |"
            for r in rows if r["half"] == wanted
        ]  # fmt: skip
        lines.append("")
    return "\n".join(lines)


def summarize(path: Path) -> None:
    """Write ``.json`` and ``.md`` beside the record."""
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    halves = sorted({r["half"] for r in rows})
    by_half = {wanted: figures([r for r in rows if r["half"] == wanted]) for wanted in halves}
    told = {"command": rows[-1]["command"], "commits": sorted({r["commit"] for r in rows}), "halves": by_half}
    path.with_suffix(".json").write_text(json.dumps(told, indent=1) + "\n")
    path.with_suffix(".md").write_text(page(rows, by_half))


def main() -> None:
    """Run what is not in the record yet, then write the summary beside it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--half", default="once")
    parser.add_argument("--sets", default="")
    parser.add_argument("--seeds", default="0")
    parser.add_argument("--rows", type=int, default=1000)
    parser.add_argument("--record", type=Path, default=RECORD)
    parser.add_argument("--summary", action="store_true")
    given = parser.parse_args()
    torch.set_num_threads(1)
    if not given.summary:
        done = (
            {(r["set"], r["seed"]) for r in map(json.loads, given.record.read_text().splitlines())}
            if given.record.exists()
            else set()
        )
        commit = subprocess.run(
            ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, cwd=HERE
        ).stdout.strip()
        for seed in map(int, given.seeds.split(",")):
            for name in given.sets.split(",") if given.sets else table_sets(given.data, given.half):
                if (name, seed) in done:
                    continue
                row = {
                    **cell(given.data, name, seed, given.rows),
                    "commit": commit,
                    "torch": torch.__version__,
                    "command": " ".join(["python", *sys.argv]),
                }
                with given.record.open("a") as file:
                    file.write(json.dumps(row) + "\n")
                print(
                    name,
                    seed,
                    {one: round(row[one]["loss"], 4) for one in LINES},
                    round(row["one_run"]["seconds"], 1),
                    flush=True,
                )
    summarize(given.record)


if __name__ == "__main__":
    main()
