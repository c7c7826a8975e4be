"""Write the time that ``sitecustomize`` shows: seconds since a command began, as if nobody else wanted the cores."""

from __future__ import annotations

import mmap
import os
import struct
import subprocess
import time
from pathlib import Path

LOOK = 0.01  # seconds between two looks
FAMILY = 0.1  # seconds between two looks for new processes
CORES = len(os.sched_getaffinity(0))


def run(process: subprocess.Popen[bytes], path: Path) -> float:
    """Keep the clock in ``path`` (eight bytes) until a process ends, and return its last time; it is not reaped.

    In an interval dt the threads of the command and its children wanted the cores for a = Σ (ran + waited) and ran
    for r. With the cores for themselves they would have run for min(a, cores · dt): time goes on by dt · r over that.
    """
    shown, known, family, looked = 0.0, {}, [], 0.0
    last = time.perf_counter()
    with path.open("r+b") as file, mmap.mmap(file.fileno(), 8) as memory:
        while not _ended(process.pid):
            time.sleep(LOOK)
            now = time.perf_counter()
            if now - looked > FAMILY:
                family, looked = _family(process.pid), now
            ran = wanted = 0.0
            for pid in family:
                for thread, (r, w) in _threads(pid).items():
                    before = known.get(thread, (0.0, 0.0))
                    ran, wanted = ran + r - before[0], wanted + (r - before[0]) + (w - before[1])
                    known[thread] = (r, w)
            step, last = now - last, now
            could = min(wanted, CORES * step)
            shown += step * (min(1.0, ran / could) if could > 0.001 * step else 1.0)
            memory[:8] = struct.pack("d", shown)
    return shown


def _ended(pid: int) -> bool:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"


def _family(root: int) -> list[int]:
    children: dict[int, list[int]] = {}
    for place in Path("/proc").iterdir():
        if place.name.isdigit():
            try:
                parent = int((place / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:  # it has ended
                continue
            children.setdefault(parent, []).append(int(place.name))
    found = [root]
    for one in found:
        found += children.get(one, [])
    return found


def _threads(pid: int) -> dict[int, tuple[float, float]]:
    found = {}
    try:
        for task in Path(f"/proc/{pid}/task").iterdir():
            ran, waited, _ = (task / "schedstat").read_text().split()
            found[int(task.name)] = (1e-9 * int(ran), 1e-9 * int(waited))
    except OSError:  # it has ended
        pass
    return found
