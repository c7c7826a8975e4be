"""Race our reader against Polars' own on one large CSV: ``python benchmarks/read_speed.py [MiB]``.

The file has numbers with decimal commas and points, thousands, counts, categories, dates and moments, missing cells.
Polars is told the separator, the decimal sign and the dates; ours finds them and says them. Each run is a process of
its own; ours ends with encoded rows, profile and SHA-256. Record:
``benchmarks/records/read_speed.jsonl``.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

RECORDS = Path(__file__).parent / "records" / "read_speed.jsonl"
BATCH = 200_000


def batch(rng: np.random.Generator, rows: int) -> pl.DataFrame:
    """Return rows of the table, each column as it is written."""

    def holes(series: pl.Expr, share: float) -> pl.Expr:
        return pl.when(pl.Series(rng.random(rows) >= share)).then(series)

    def comma(name: str) -> pl.Expr:
        return pl.col(name).round(3).cast(pl.String).str.replace(".", ",", literal=True)

    stamps = np.datetime64("2020-01-01T00:00:00", "us") + rng.integers(0, 10**14, rows).astype("timedelta64[us]")
    words = np.array(["north", "south", "east", "west", "no region"])
    plain = {f"n{i}": rng.normal(scale=10.0 ** (i % 4), size=rows) for i in range(6)}
    plain |= {
        "price": rng.lognormal(5, 1, rows),
        "count": rng.integers(0, 1000, rows),
        "age": rng.integers(18, 99, rows),
    }
    frame = pl.DataFrame(
        plain
        | {"region": words[rng.integers(0, 5, rows)], "city": [f"city{k}" for k in rng.integers(0, 3000, rows)]}
        | {"when": stamps, "day": stamps, "y": np.array(["yes", "no"])[rng.integers(0, 2, rows)]}
    )
    written = [holes(comma(name), 0.02) for name in ("n0", "n1", "n2", "n3", "n4", "n5")]
    written += [holes(comma("price"), 0.1), holes(pl.col("age"), 0.05), holes(pl.col("region"), 0.01)]
    written += [pl.col("when").dt.to_string("%Y-%m-%d %H:%M:%S"), pl.col("day").dt.to_string("%d.%m.%Y")]
    return frame.with_columns(written)


def generate(path: Path, size: int) -> None:
    """Write a table of at least ``size`` bytes."""
    rng = np.random.default_rng(0)
    with path.open("wb") as stream:
        first = True
        while stream.tell() < size:
            batch(rng, BATCH).write_csv(stream, separator=";", include_header=first)
            first = False


def ours(path: Path) -> dict[str, Any]:
    """Read with our reader."""
    from temperance.data import read

    reading = read(path, target="y", workdir=path.parent / "work")
    return {"rows": len(reading.table), "columns": len(reading.table.schema.columns)}


def polars(path: Path) -> dict[str, Any]:
    """Read with Polars, told how the file is written."""
    frame = pl.read_csv(path, separator=";", decimal_comma=True, try_parse_dates=True, infer_schema_length=10_000)
    return {"rows": frame.height, "columns": frame.width}


def measure(how: str, path: Path) -> dict[str, Any]:
    """Run one reader in this process."""
    before, cpu = time.perf_counter(), time.process_time()
    found = polars(path) if how == "polars" else ours(path)
    return found | {
        "seconds": round(time.perf_counter() - before, 2),
        "cpu_seconds": round(time.process_time() - cpu, 2),
        "peak_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    }


def race(size: int, repeats: int, before: str | None) -> dict[str, Any]:
    """Return the figures of both readers, in turns; ``before`` is the folder of an earlier version of ours."""
    runs: dict[str, list[dict[str, Any]]] = {"ours": [], "polars": []} | ({"before": []} if before else {})
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "large.csv"
        free = shutil.disk_usage(folder).free
        if free < 5 * size:
            raise SystemExit(f"{free / 2**30:.1f} GiB are free in {folder}, {5 * size / 2**30:.1f} are needed")
        subprocess.run([sys.executable, __file__, "--generate", str(path), str(size)], check=True)
        for _ in range(repeats):
            for how in runs:
                command = [sys.executable, __file__, "--one", how, str(path)]
                place = {"PYTHONPATH": before} if before and how == "before" else {}
                done = subprocess.run(command, capture_output=True, check=True, text=True, env=os.environ | place)
                runs[how].append(json.loads(done.stdout))
                shutil.rmtree(Path(folder) / "work", ignore_errors=True)
        bytes_ = path.stat().st_size
    best = {how: {key: min(run[key] for run in found) for key in found[0]} for how, found in runs.items()}
    limits = {key: round(1.5 * best["polars"][key] + 10.0, 2) for key in ("seconds", "cpu_seconds")}
    return {"file_bytes": bytes_, "best": best, "limit": limits, "runs": runs}


def main() -> None:
    """Run the race and write its record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("mib", nargs="?", type=int, default=954, help="size of the file in MiB (954 MiB are 1 GB)")
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--before", help="folder `src` of an earlier version that is measured too")
    parser.add_argument("--generate", nargs=2)
    parser.add_argument("--one", nargs=2)
    given = parser.parse_args()
    if given.generate:
        return generate(Path(given.generate[0]), int(given.generate[1]))
    if given.one:
        return print(json.dumps(measure(given.one[0], Path(given.one[1]))))
    record = {
        "benchmark": "read_speed",
        "command": f"python benchmarks/read_speed.py {given.mib} --repeats {given.repeats}"
        + (" --before SRC" if given.before else ""),
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": {"python": platform.python_version(), "polars": version("polars")},
        "cores": os.cpu_count(),
        "load": round(os.getloadavg()[0], 1),
        **race(given.mib * 2**20, given.repeats, given.before),
    }
    RECORDS.parent.mkdir(exist_ok=True)
    with RECORDS.open("a") as stream:
        stream.write(json.dumps(record) + "\n")
    print(json.dumps(record, indent=1))
    return None


if __name__ == "__main__":
    main()
