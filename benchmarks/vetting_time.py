"""How long ``evaluate`` takes: 10,000 rows, 20 columns, an MLP of 2 × 256 in a bundle, one core, each suite.

    OMP_NUM_THREADS=1 python benchmarks/vetting_time.py --suites quick,standard
    OMP_NUM_THREADS=1 python benchmarks/vetting_time.py --suites quick --only evaluate   (no import, no reading)

CPU seconds of the whole command in a fresh process (imports, reading, every aspect, writing), and of ``vet`` alone in
this process by aspect. The machine's load stands in the record.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import torch

import temperance
from temperance.data import Preprocess, read
from temperance.deployment import Extras, Network, write_bundle
from temperance.deployment.encoding import Encoding
from temperance.deployment.opening.of_bundle import open_bundle
from temperance.evaluation.vetting import vet
from temperance.records.row_marks import Known, row_marks
from temperance.training.predictor import NetPredictor

RECORD = Path(__file__).parent / "records" / "vetting_time.json"
ROWS, COLUMNS = 10_000, 20


def data(rows: int, seed: int) -> pl.DataFrame:
    random = np.random.default_rng(seed)
    x = random.normal(size=(rows, COLUMNS))
    z = x[:, 0] - x[:, 1] + x[:, 2] * x[:, 3]
    y = np.where(random.random(rows) < 1 / (1 + np.exp(-2 * z)), "yes", "no")
    return pl.DataFrame({**{f"x{j}": x[:, j] for j in range(COLUMNS)}, "y": y})


def make(folder: Path) -> tuple[Path, Path]:
    """Write a training table, train the MLP for a few seconds, and write its bundle and a fresh table."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    train = read(data(ROWS, 0), target="y").table
    preprocess = Preprocess.fit(train, np.arange(ROWS))
    net = torch.nn.Sequential(
        torch.nn.Linear(COLUMNS, 256), torch.nn.ReLU(), torch.nn.Linear(256, 256), torch.nn.ReLU(),
        torch.nn.Linear(256, 2),
    )  # fmt: skip
    inputs = torch.from_numpy(np.ascontiguousarray(preprocess.transform(train.rows).numeric))
    target = torch.from_numpy(train.target)
    optimizer = torch.optim.AdamW(net.parameters(), lr=1e-3)
    for _ in range(6):
        for part in torch.randperm(ROWS).split(256):
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(net(inputs[part]), target[part]).backward()
            optimizer.step()
    net.eval()
    predictor = NetPredictor(train.schema, preprocess, net, own_inputs=False)
    part = Network(net, Encoding.of(preprocess, train.schema), inputs=("numeric",))
    marks = row_marks(train.schema, learned=Known(train.rows, train.target), tested=None, salt=b"vetting time")
    write_bundle(folder / "bundle", part=part, schema=train.schema, predictor=predictor,
                 rows=train.rows.take(slice(0, 200)), extras=Extras(marks=marks))  # fmt: skip
    data(ROWS, 1).write_csv(folder / "fresh.csv")
    return folder / "bundle", folder / "fresh.csv"


def command(bundle: Path, table: Path, suite: str, folder: Path) -> dict[str, float]:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.monotonic()
    words = [sys.executable, "-m", "temperance", "evaluate", str(bundle), str(table), "--suite", suite, "--out",
             str(folder / suite), "--quiet"]  # fmt: skip
    subprocess.run(words, check=True, env={**os.environ, "OMP_NUM_THREADS": "1"})
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"wall": round(time.monotonic() - began, 2), "cpu": round(cpu, 2)}


def inside(bundle: Path, table: Path, suite: str) -> dict[str, Any]:
    subject = open_bundle(bundle)
    rows = read(table, target="y", schema=subject.schema).table
    began = time.process_time()
    done = vet(subject, rows, tier=suite)  # type: ignore[arg-type]
    parts = {one.aspect: round(one.seconds, 2) for one in done.readings}
    return {"cpu": round(time.process_time() - began, 2), "harness": round(done.evaluation.seconds, 2), **parts}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--suites", default="quick,standard")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--only", choices=("all", "evaluate"), default="all")
    parser.add_argument("--out", type=Path, default=RECORD)
    given = parser.parse_args()
    cells = []
    with tempfile.TemporaryDirectory() as scratch:
        bundle, table = make(Path(scratch))
        for suite in given.suites.split(","):
            whole = [] if given.only == "evaluate" else [
                command(bundle, table, suite, Path(scratch)) for _ in range(given.repeats)
            ]  # fmt: skip
            cells.append({"suite": suite, "command": whole, "in_process": inside(bundle, table, suite)})
    row = {
        "command": f"python benchmarks/vetting_time.py --suites {given.suites} --repeats {given.repeats}",
        "temperance": temperance.__version__, "python": platform.python_version(), "torch": torch.__version__,
        "rows": ROWS, "columns": COLUMNS, "model": "MLP 20-256-256-2 in a bundle", "seed": 0,
        "load": os.getloadavg()[0], "half": "none: made-up data", "cells": cells,
    }  # fmt: skip
    given.out.write_text(json.dumps(row, indent=1) + "\n")
    print(json.dumps(row, indent=1))


if __name__ == "__main__":
    main()
