"""Measure the peak memory of reading a growing folder of Parquet: ``python benchmarks/out_of_core.py [MiB …]``.

The folder has 24 columns of numbers, one of categories and a target. Each size is read in a process of its own.
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


def measure(folder: Path) -> dict[str, Any]:
    """Read the folder in this process."""
    from temperance.data import read

    own, done = [0], threading.Event()

    def watch() -> None:
        while not done.wait(0.01):
            own[0] = max(own[0], own_bytes())

    threading.Thread(target=watch, daemon=True).start()
    before, cpu = time.perf_counter(), time.process_time()
    table = read(folder, target="y", workdir=folder.parent / "work").table
    done.set()
    return {
        "rows": len(table),
        "folder_bytes": sum(path.stat().st_size for path in folder.iterdir()),
        "peak_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        "own_peak_bytes": own[0],
        "cpu_seconds": round(time.process_time() - cpu, 2),
        "seconds": round(time.perf_counter() - before, 2),
    }


def run(mib: int) -> dict[str, Any]:
    """Return the figures of one size."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "set"
        subprocess.run([sys.executable, __file__, "--generate", str(folder), str(mib * 2**20)], check=True)
        done = subprocess.run([sys.executable, __file__, "--one", str(folder)], capture_output=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def main() -> None:
    """Measure each size and write the record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("mib", nargs="*", type=int, default=[512, 1024, 2048], help="sizes of the folder in MiB")
    parser.add_argument("--generate", nargs=2)
    parser.add_argument("--one")
    given = parser.parse_args()
    if given.generate:
        return generate(Path(given.generate[0]), int(given.generate[1]))
    if given.one:
        return print(json.dumps(measure(Path(given.one))))
    runs = [run(mib) for mib in given.mib]
    rows = max(1, runs[-1]["rows"] - runs[0]["rows"])
    slope = {key: round((runs[-1][key] - runs[0][key]) / rows, 1) for key in ("peak_bytes", "own_peak_bytes")}
    record = {
        "benchmark": "out_of_core",
        "command": f"python benchmarks/out_of_core.py {' '.join(map(str, given.mib))}",
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": {"python": platform.python_version(), "polars": version("polars")},
        "load": round(os.getloadavg()[0], 1),
        "seed": 0,
        "runs": runs,
        "row_bytes": round(runs[-1]["folder_bytes"] / runs[-1]["rows"], 1),
        "bytes_per_row": slope,
    }
    with RECORDS.open("a") as stream:
        stream.write(json.dumps(record) + "\n")
    print(json.dumps(record, indent=1))
    return None


if __name__ == "__main__":
    main()
