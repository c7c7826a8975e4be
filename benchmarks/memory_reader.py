"""Measure the reader's peak memory and time on a generated table: ``python benchmarks/memory_reader.py [rows]``.

Each cell runs in a process of its own and is written to ``benchmarks/records/memory_reader.jsonl``, beside what Polars
alone takes and the load of the machine (wall clocks of a busy machine say little; CPU seconds do).
"""

from __future__ import annotations

import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import numpy as np

RECORDS = Path(__file__).parent / "records" / "memory_reader.jsonl"


def generate(folder: Path, rows: int) -> list[Path]:
    import polars as pl

    rng = np.random.default_rng(0)
    stamps = np.datetime64("2020-01-01T00:00:00", "us") + rng.integers(0, 10**14, rows).astype("timedelta64[us]")
    frame = pl.DataFrame(
        {f"n{i}": rng.normal(size=rows) for i in range(8)}
        | {"i1": rng.integers(0, 1000, rows), "i2": rng.integers(0, 5, rows)}
        | {f"c{i}": np.array(["alpha", "beta", "gamma", "delta"])[rng.integers(0, 4, rows)] for i in range(2)}
        | {"city": [f"city{k}" for k in rng.integers(0, 3000, rows)], "when": stamps, "y": rng.integers(0, 2, rows)}
    ).with_columns(pl.col("when").dt.to_string("%Y-%m-%d %H:%M:%S"))
    paths = [folder / "big.csv", folder / "big.parquet"]
    frame.write_csv(paths[0])
    frame.write_parquet(paths[1])
    return paths


def measure(path: Path) -> dict[str, object]:
    from temperance import data

    before, cpu = time.perf_counter(), time.process_time()
    table = data.read(path, target="y", workdir=path.parent / "work").table
    read_cpu = time.process_time() - cpu
    roles = data.split(table, seed=0)
    data.Preprocess.fit(table, roles.train)
    return {
        "rows": len(table),
        "columns": len(table.schema.columns),
        "file_bytes": path.stat().st_size,
        "peak_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        "read_cpu_seconds": round(read_cpu, 2),
        "all_cpu_seconds": round(time.process_time() - cpu, 2),
        "wall_seconds": round(time.perf_counter() - before, 2),
    }


def others(path: Path) -> dict[str, object]:
    """Measure what Polars alone takes for the same file."""
    import polars as pl

    before, cpu = time.perf_counter(), time.process_time()
    (pl.read_csv if path.suffix == ".csv" else pl.read_parquet)(path)
    return {
        "polars_cpu_seconds": round(time.process_time() - cpu, 2),
        "polars_wall_seconds": round(time.perf_counter() - before, 2),
    }


def main() -> None:
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 2_000_000
    RECORDS.parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        subprocess.run([sys.executable, __file__, "--generate", name, str(rows)], check=True)
        for path in (Path(name) / "big.csv", Path(name) / "big.parquet"):
            done, alone = (
                subprocess.run([sys.executable, __file__, flag, str(path)], capture_output=True, check=True)
                for flag in ("--one", "--polars")
            )
            record = {
                "benchmark": "memory_reader",
                "command": f"python benchmarks/memory_reader.py {rows}",
                "created": datetime.now(UTC).isoformat(timespec="seconds"),
                "format": path.suffix,
                "versions": {"python": platform.python_version(), "polars": version("polars")},
                "load": round(os.getloadavg()[0], 1),
                **json.loads(done.stdout),
                **json.loads(alone.stdout),
            }
            with RECORDS.open("a") as stream:
                stream.write(json.dumps(record) + "\n")
            print(json.dumps(record))


if __name__ == "__main__":
    if "--one" in sys.argv:
        print(json.dumps(measure(Path(sys.argv[-1]))))
    elif "--polars" in sys.argv:
        print(json.dumps(others(Path(sys.argv[-1]))))
    elif "--generate" in sys.argv:
        generate(Path(sys.argv[2]), int(sys.argv[3]))
    else:
        main()
