"""Python, processors, memory, disk, and whether files can be written."""

from __future__ import annotations

import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from temperance.cli.doctor.base import BROKEN, FINE, LOOK, Check, Condition

LEAST_PYTHON = (3, 11)
LITTLE_MEMORY, LITTLE_DISK = 2e9, 2e9  # bytes: what a small study takes with its workers, and what it writes


@dataclass(frozen=True)
class Machine(Check):
    """Looks at the machine.

    Attributes:
        folder: where a study would be written.

    """

    folder: Path = Path()
    name: ClassVar[str] = "machine"

    def examine(self) -> Iterator[Condition]:
        yield _python()
        if sys.platform == "win32":
            yield Condition(
                "system", LOOK, "On Windows a study cannot wait for its workers; recipes in your own loop, audit, "
                "predict and serve do not need them.", "Use WSL 2 for studies", {"platform": sys.platform},
            )  # fmt: skip
        yield _cores()
        yield _memory()
        yield _disk(self.folder)
        yield _writing(self.folder, "the working folder")
        yield _writing(Path(tempfile.gettempdir()), "the folder for temporary files")


def _python() -> Condition:
    version, where = platform.python_version(), sys.prefix
    facts = {
        "version": version,
        "prefix": where,
        "system": platform.platform(),
        "virtual": sys.prefix != sys.base_prefix,
    }
    if sys.version_info[:2] < LEAST_PYTHON:
        return Condition("Python", BROKEN, f"Python {version} is too old.", "Use Python 3.11 or newer", facts)
    kind = "a virtual environment" if facts["virtual"] else "no virtual environment"
    return Condition("Python", FINE, f"Python {version} on {platform.system()}, {kind}: {where}.", facts=facts)


def _cores() -> Condition:
    cores = usable_cores()
    threads = os.environ.get("OMP_NUM_THREADS", "")
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
    facts = {"cores": os.cpu_count(), "usable": cores, "OMP_NUM_THREADS": threads or None, "load": load}
    said = (
        f"{cores:g} of {os.cpu_count()} processor cores may be used; a study runs one thread in each of its processes."
    )
    if threads and not threads.split(",")[0].strip().isdigit():
        return Condition(
            "processor", LOOK, f"OMP_NUM_THREADS is {threads!r}, which is no number.", "Set it to 1, or unset it", facts
        )
    if load is not None and load > 1.5 * cores:
        return Condition(
            "processor", LOOK, f"{said} It is busy: {load:.1f} processes want to run.",
            "Give a study more time, or wait: a budget buys fewer trials on a busy machine", facts,
        )  # fmt: skip
    return Condition("processor", FINE, said, facts=facts)


def usable_cores(limits: Path = Path("/sys/fs/cgroup/cpu.max")) -> float:
    """Return how many cores this process may use: those it is bound to, or the container's share where that is less."""
    count = float(len(os.sched_getaffinity(0))) if hasattr(os, "sched_getaffinity") else float(os.cpu_count() or 1)
    if limits.is_file():
        quota, _, period = limits.read_text(encoding="ascii").strip().partition(" ")
        if quota.isdigit() and period.isdigit():
            count = min(count, int(quota) / int(period))
    return count


def _memory() -> Condition:
    import psutil

    seen = psutil.virtual_memory()
    free, whole = float(seen.available), float(seen.total)
    facts = {"total_bytes": whole, "available_bytes": free}
    said = f"{free / 1e9:.1f} of {whole / 1e9:.1f} GB of memory are free."
    if free < LITTLE_MEMORY:
        return Condition("memory", LOOK, said, "Close other programs, or use --workers 1", facts)
    return Condition("memory", FINE, said, facts=facts)


def _disk(folder: Path) -> Condition:
    space = shutil.disk_usage(folder)
    facts = {"free_bytes": space.free, "folder": str(folder.resolve())}
    said = f"{space.free / 1e9:.1f} GB are free where a study would be written ({folder.resolve()})."
    if space.free < LITTLE_DISK:
        return Condition("disk", LOOK, said, "Free some space, or write elsewhere with --out", facts)
    return Condition("disk", FINE, said, facts=facts)


def _writing(folder: Path, words: str) -> Condition:
    facts = {"folder": str(folder.resolve())}
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"temperance")
    except OSError as fault:
        return Condition(
            "writing", BROKEN, f"Nothing can be written into {words}, {folder.resolve()}: {fault.strerror or fault}.",
            "Go to a folder of yours, or name one with --out (for temporary files: TMPDIR)", facts,
        )  # fmt: skip
    return Condition("writing", FINE, f"Files can be written into {words}, {folder.resolve()}.", facts=facts)
