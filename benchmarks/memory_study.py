"""Peak memory of a study of a table of two million rows: the bar is 4 GB for all its processes together.

    python benchmarks/memory_study.py [--rows 2000000] [--budget 120s]

The table has 15 columns (ten numbers, four categories, the target) and is written as Parquet. Memory is read every
0.1 s: the sum over the process and all its children of the proportional set size (pages shared by n processes count 1/n
each; pages of mapped files count too), and, as an upper bound, the sum of the resident set sizes, which counts shared
pages once for each process. Record: ``benchmarks/records/memory_study.json``.
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
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import psutil

HERE = Path(__file__).parent
COMMAND = str(Path(sys.executable).with_name("temperance"))
RECORD = HERE / "records" / "memory_study.json"
BAR = 4e9


def generate(path: Path, rows: int) -> None:
    import polars as pl

    rng = np.random.default_rng(0)
    x = rng.normal(size=(rows, 8))
    frame: dict[str, Any] = {f"x{i}": x[:, i] for i in range(8)}
    frame |= {"count": rng.integers(0, 1000, rows), "level": rng.integers(0, 5, rows)}
    for i, size in enumerate((4, 12, 60, 3000)):
        frame[f"c{i}"] = pl.Series(rng.integers(0, size, rows)).cast(pl.String)
    score = x[:, 0] * x[:, 1] + np.sin(2 * x[:, 2]) + 0.3 * frame["level"]
    frame["y"] = np.where(score + rng.logistic(size=rows) > 0.5, "yes", "no")
    pl.DataFrame(frame).write_parquet(path)


def memory(process: psutil.Process) -> tuple[int, int, int]:
    """Return bytes of a process and its children: proportional, resident summed, and the largest resident."""
    shared, resident, largest = 0, 0, 0
    for one in [process, *process.children(recursive=True)]:
        try:
            info = one.memory_full_info()
        except psutil.Error:
            continue  # it ended between the listing and the reading
        shared, resident, largest = shared + info.pss, resident + info.rss, max(largest, info.rss)
    return shared, resident, largest


def measure(table: Path, out: Path, budget: str) -> dict[str, Any]:
    command = [COMMAND, "study", str(table), "--target", "y", "--budget", budget,
               "--workers", "2", "--out", str(out), "--quiet"]  # fmt: skip
    began, peaks, course, sampled = time.perf_counter(), [0, 0, 0], [], 0.0
    with open(out.with_suffix(".err"), "w+") as errors:
        child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=errors)
        watched = psutil.Process(child.pid)
        while child.poll() is None:
            now = time.perf_counter() - began
            try:
                seen = memory(watched)
            except psutil.Error:
                break
            peaks = [max(pair) for pair in zip(peaks, seen, strict=True)]
            if now - sampled >= 2:
                course.append([round(now, 1), seen[0], seen[1]])
                sampled = now
            time.sleep(0.1)
        code = child.wait()
        errors.seek(0)
        said = errors.read()[-2000:]
    result: dict[str, Any] = {
        "status": "done" if code == 0 else f"failed ({code})", "wall_seconds": round(time.perf_counter() - began, 2),
        "peak_proportional_bytes": peaks[0], "peak_resident_sum_bytes": peaks[1], "peak_resident_one_process": peaks[2],
        "bar_bytes": BAR, "within": peaks[1] <= BAR, "within_proportional": peaks[0] <= BAR,
        "course": course,
    }  # fmt: skip
    if code:
        return {**result, "said": said}
    document = json.loads((out / "study.json").read_text())
    winner = document["winner"]["trial"]
    return {
        **result,
        "trained": sum(t["status"] == "done" for t in document["trials"]),
        "spent": document["budget"]["spent"], "left_out": document["budget"]["left_out"],
        "winner": next(t["name"] for t in document["trials"] if t["id"] == winner),
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=2_000_000)
    parser.add_argument("--budget", default="120s")
    parser.add_argument("--record", type=Path, default=RECORD)
    given, _ = parser.parse_known_args()  # `make bench ARGS=…` gives all scripts the same
    with tempfile.TemporaryDirectory(prefix="memory-study-") as name:
        table = Path(name) / "table.parquet"
        generator = [sys.executable, __file__, "--generate", str(table), str(given.rows)]
        subprocess.run(generator, check=True)  # in a process of its own, so that its memory is given back
        record = {
            "benchmark": "memory_study", "rows": given.rows, "columns": 15, "file_bytes": table.stat().st_size,
            "budget": given.budget, **measure(table, Path(name) / "study", given.budget), "commit": revision(),
            "created": datetime.now(UTC).isoformat(timespec="seconds"), "load": os.getloadavg()[0],
            "machine": {"cores": os.cpu_count(), "system": platform.platform()},
        }  # fmt: skip
    given.record.write_text(json.dumps(record, indent=1))
    print(json.dumps({k: v for k, v in record.items() if k != "course"}, indent=1))


def revision() -> str:
    """Return the commit, with ``+changes`` where the sources differ from it."""
    run = ["git", "-C", str(HERE.parent)]
    head = subprocess.run([*run, "rev-parse", "--short=12", "HEAD"], capture_output=True, text=True).stdout.strip()
    changed = subprocess.run([*run, "status", "--porcelain", "--", "src"], capture_output=True, text=True).stdout
    return head + ("+changes" if changed.strip() else "")


if __name__ == "__main__":
    if "--generate" in sys.argv:
        generate(Path(sys.argv[2]), int(sys.argv[3]))
    else:
        main()
