"""Which bundled set the demo should show: how often regularization is seen to help there, with its interval.

    python benchmarks/demo_set.py [--candidates a,b] [--seeds 1,2,3,4,5]     choose: one folded run each
    python benchmarks/demo_set.py --confirm [--seeds 0,11,12] [--budget 75s]  the demo itself, as users run it
    python benchmarks/demo_set.py --summary

All sets come with scikit-learn, so nothing here is fresh evidence about regularization: the question is which of them
*shows* it. A seed draws the rows, the wrong answers and the study's seed. Counted are the seeds at which the 95 %
interval of "the recipe's strengths against without" (same rows, out of fold) leaves out zero on the better side.
``--confirm`` runs ``temperance demo --seed N``; its rows are always the same, its study's seed is not. On a machine
with other work a budget in trials (``--budget 8trials``: what 75 s are on two idle cores) says more than one in
seconds; the load and the processor's seconds stand in the record. It is a line per cell; cells that it holds are not
run again.
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
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("MKL_NUM_THREADS", "1")
import numpy as np
import polars as pl
from sklearn import datasets
from sklearn.model_selection import train_test_split

RECORD = Path(__file__).parent / "records" / "demo_set.jsonl"
WHOLE = "the recipe's strengths"  # of a folded run: the ingredient that is all of its regularization
# name: loader, development rows, share of their answers that are made wrong
CANDIDATES: dict[str, tuple[Callable[[], Any], int, float]] = {
    "breast cancer, 455 rows": (datasets.load_breast_cancer, 455, 0.0),
    "breast cancer, 100 rows": (datasets.load_breast_cancer, 100, 0.0),
    "digits, 150 rows": (datasets.load_digits, 150, 0.0),
    "digits, 300 rows": (datasets.load_digits, 300, 0.0),
    "breast cancer, 300 rows, 20 % wrong": (datasets.load_breast_cancer, 300, 0.2),
    "breast cancer, 300 rows, 30 % wrong": (datasets.load_breast_cancer, 300, 0.3),
    "wine, 120 rows, 30 % wrong": (datasets.load_wine, 120, 0.3),
    "digits, 500 rows, 20 % wrong": (datasets.load_digits, 500, 0.2),
    "digits, 400 rows, 30 % wrong": (datasets.load_digits, 400, 0.3),
}


def tables(name: str, seed: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return development and test rows of a candidate; the answers of the test rows are right."""
    load, rows, share = CANDIDATES[name]
    bunch = load()
    kinds = len(bunch.target_names)
    parts = train_test_split(bunch.data, bunch.target, train_size=rows, random_state=seed, stratify=bunch.target)
    learned, test, answers, right = parts
    rng = np.random.default_rng(seed)
    wrong = rng.random(rows) < share
    answers = np.where(wrong, (answers + rng.integers(1, kinds, rows)) % kinds, answers)
    return _frame(learned, answers), _frame(test, right)


def _frame(inputs: np.ndarray, answers: np.ndarray) -> pl.DataFrame:
    columns = {f"x{i:02d}": column for i, column in enumerate(inputs.T)}
    return pl.DataFrame({**columns, "target": [f"class {v}" for v in answers]})


def choose(name: str, seed: int) -> dict[str, Any]:
    """Run one folded run on a candidate."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        for part, frame in zip(("train", "test"), tables(name, seed), strict=True):
            frame.write_csv(folder / f"{part}.csv")
        words = ["study", str(folder / "train.csv"), "--test", str(folder / "test.csv"), "--target", "target"]
        return _cell([*words, "--budget", "1run"], seed, folder / "out")


def confirm(name: str, seed: int) -> dict[str, Any]:
    """Run the demo as a user does; ``name`` ends with its budget."""
    with tempfile.TemporaryDirectory() as scratch:
        return _cell(["demo", "--budget", name.rpartition(" ")[2]], seed, Path(scratch) / "out")


def _cell(words: list[str], seed: int, out: Path) -> dict[str, Any]:
    command = [sys.executable, "-m", "temperance", *words, "--seed", str(seed), "--out", str(out), "--quiet"]
    began, before = time.monotonic(), os.times()
    subprocess.run(command, check=True, capture_output=True, timeout=600)
    seconds, after = time.monotonic() - began, os.times()
    used = after.children_user + after.children_system - before.children_user - before.children_system
    study = json.loads((out / "study.json").read_text(encoding="utf-8"))
    winner = study["winner"]
    kind = next(t["kind"] for t in study["trials"] if t["id"] == winner["trial"])
    bought = [row for row in winner["bought"] if row["ingredient"] == WHOLE] or winner["bought"]
    return {
        "winner": kind, "metric": study["metric"]["name"], "seconds": round(seconds, 1),
        "processor_seconds": round(used, 1), "load": round(os.getloadavg()[0], 1), "trials": len(study["trials"]),
        "accuracy": winner["test"]["accuracy"]["value"], "verdict": bought[0]["verdict"] if bought else "none",
        "bought": {k: bought[0]["difference"][k] for k in ("value", "low", "high", "n")} if bought else None,
    }  # fmt: skip


def kept() -> list[dict[str, Any]]:
    """Return the cells of the record."""
    return [json.loads(line) for line in RECORD.read_text().splitlines()] if RECORD.exists() else []


def summary() -> Iterator[str]:
    """Say per candidate how often it showed a gain."""
    rows = kept()
    for key in dict.fromkeys((row["part"], row["set"]) for row in rows):
        own = [row for row in rows if (row["part"], row["set"]) == key]
        better = sum(row["verdict"] == "better" for row in own)
        changes = ", ".join(f"{r['bought']['value']:+.3f} [{r['bought']['low']:+.3f}, {r['bought']['high']:+.3f}]"
                            for r in own if r["bought"])  # fmt: skip
        nets = sum(row["winner"] not in ("basic",) for row in own)
        slow = max(row["seconds"] for row in own)
        yield f"{key[0]}: {key[1]}: better in {better} of {len(own)}, a net won {nets}, at most {slow:g} s: {changes}"


def main(arguments: list[str] | None = None) -> int:
    """Run what the record lacks."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--candidates", default="|".join(CANDIDATES), help="names with | between them")
    parser.add_argument("--seeds", default="")
    parser.add_argument("--confirm", action="store_true")
    parser.add_argument("--budget", default="75s")
    parser.add_argument("--summary", action="store_true")
    given = parser.parse_args(arguments)
    if not given.summary:
        part, run = ("confirm", confirm) if given.confirm else ("choose", choose)
        names = [f"the demo, {given.budget}"] if given.confirm else given.candidates.split("|")
        seeds = [int(s) for s in (given.seeds or ("0,11,12" if given.confirm else "1,2,3,4,5")).split(",")]
        have = {(row["part"], row["set"], row["seed"]) for row in kept()}
        for seed in seeds:
            for name in names:
                if (part, name, seed) in have:
                    continue
                row = {"part": part, "set": name, "seed": seed, **run(name, seed), **_made()}
                with RECORD.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(row) + "\n")
                print(row, flush=True)
    print("\n".join(summary()))
    return 0


def _made() -> dict[str, Any]:
    names = ("temperance", "torch", "scikit-learn", "numpy")
    versions = {name: version(name) for name in names}
    return {"command": " ".join(["benchmarks/demo_set.py", *sys.argv[1:]]), "versions": versions,
            "machine": f"{platform.machine()}, {os.cpu_count()} cores"}  # fmt: skip


if __name__ == "__main__":
    raise SystemExit(main())
