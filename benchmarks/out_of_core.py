"""Measure the peak memory of a growing folder of Parquet: ``python benchmarks/out_of_core.py [MiB …]``.

The folder has 24 columns of numbers, one of categories and a target. Each size is read in a process of its own: whole;
as a sample of ``--rows`` rows; or, with ``--predict``, each row is answered by a model that was trained on 2,000 rows.
``bytes_per_row`` is the slope of the peak between the smallest and the largest size, beside ``row_bytes`` on the disk:
a flat peak has a slope of 0. ``own_peak_bytes`` leaves out pages of files that are mapped (Linux).
Record: ``benchmarks/records/out_of_core.jsonl``.
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
import threading
import time
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

RECORDS = Path(__file__).parent / "records" / "out_of_core.jsonl"
ROWS, WIDTH = 200_000, 24


def generate(folder: Path, size: int) -> None:
    """Write files of ``ROWS`` rows until the folder holds ``size`` bytes."""
    folder.mkdir()
    rng, written, count = np.random.default_rng(0), 0, 0
    while written < size:
        columns: dict[str, Any] = {f"x{i}": rng.normal(size=ROWS) for i in range(WIDTH)}
        columns["kind"] = np.array(["north", "south", "east"])[rng.integers(0, 3, ROWS)]
        columns["y"] = rng.integers(0, 2, ROWS)
        path = folder / f"part-{count:04d}.parquet"
        pl.DataFrame(columns).write_parquet(path)
        written, count = written + path.stat().st_size, count + 1


def own_bytes() -> int:
    """Return the memory of this process without pages of files, which the system takes back when it needs them."""
    status = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in status if line.startswith("RssAnon:"))


def work(folder: Path, rows: int, bundle: str) -> int:
    """Read the folder, or answer its rows with a model; return how many."""
    if bundle:
        from temperance.cli import main

        out = folder.parent / "answers.parquet"
        if main(["predict", bundle, str(folder), "--out", str(out), "--quiet"]):
            raise SystemExit("predict failed")
        return int(pl.scan_parquet(out).select(pl.len()).collect().item())
    from temperance.data import read
    from temperance.data.choices import Choices

    return len(read(folder, target="y", workdir=folder.parent / "work", choices=Choices(rows=rows)).table)


def measure(folder: Path, rows: int, bundle: str) -> dict[str, Any]:
    """Measure one size in this process."""
    own, done = [0], threading.Event()

    def watch() -> None:
        while not done.wait(0.01):
            own[0] = max(own[0], own_bytes())

    threading.Thread(target=watch, daemon=True).start()
    before, cpu = time.perf_counter(), time.process_time()
    answered = work(folder, rows, bundle)
    done.set()
    return {
        "rows": answered,
        "folder_rows": int(pl.scan_parquet(folder / "*.parquet").select(pl.len()).collect().item()),
        "folder_bytes": sum(path.stat().st_size for path in folder.iterdir()),
        "peak_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        "own_peak_bytes": own[0],
        "cpu_seconds": round(time.process_time() - cpu, 2),
        "seconds": round(time.perf_counter() - before, 2),
    }


def trained(place: Path) -> str:
    """Train a model on 2,000 rows of the same kind and return the folder of its study."""
    subprocess.run([sys.executable, __file__, "--generate", str(place / "small"), "1"], check=True)
    pl.read_parquet(place / "small" / "part-0000.parquet").head(2000).write_parquet(place / "train.parquet")
    command = [sys.executable, "-m", "temperance", "study", str(place / "train.parquet"), "--target", "y"]
    subprocess.run([*command, "--budget", "1run", "--out", str(place / "study"), "--quiet"], check=True)
    return str(place / "study")


def run(mib: int, rows: int, bundle: str) -> dict[str, Any]:
    """Return the figures of one size."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "set"
        subprocess.run([sys.executable, __file__, "--generate", str(folder), str(mib * 2**20)], check=True)
        command = [sys.executable, __file__, "--one", str(folder), "--rows", str(rows), "--bundle", bundle]
        done = subprocess.run(command, capture_output=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def main() -> None:
    """Measure each size and write the record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("mib", nargs="*", type=int, default=[512, 1024, 2048], help="sizes of the folder in MiB")
    parser.add_argument("--generate", nargs=2)
    parser.add_argument("--one")
    parser.add_argument("--rows", type=int, default=0, help="read a sample of so many rows")
    parser.add_argument("--predict", action="store_true", help="answer each row")
    parser.add_argument("--bundle", default="")
    given = parser.parse_args()
    if given.generate:
        return generate(Path(given.generate[0]), int(given.generate[1]))
    if given.one:
        return print(json.dumps(measure(Path(given.one), given.rows, given.bundle)))
    with tempfile.TemporaryDirectory() as place:
        bundle = trained(Path(place)) if given.predict else ""
        runs = [run(mib, given.rows, bundle) for mib in given.mib]
    rows = max(1, runs[-1]["folder_rows"] - runs[0]["folder_rows"])
    slope = {key: round((runs[-1][key] - runs[0][key]) / rows, 1) for key in ("peak_bytes", "own_peak_bytes")}
    record = {
        "benchmark": "out_of_core",
        "command": f"python benchmarks/out_of_core.py {' '.join(sys.argv[1:])}",
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": {"python": platform.python_version(), "polars": version("polars")},
        "load": round(os.getloadavg()[0], 1),
        "seed": 0,
        "runs": runs,
        "row_bytes": round(runs[-1]["folder_bytes"] / runs[-1]["folder_rows"], 1),
        "bytes_per_row": slope,
    }
    with RECORDS.open("a") as stream:
        stream.write(json.dumps(record) + "\n")
    print(json.dumps(record, indent=1))
    return None


if __name__ == "__main__":
    main()
