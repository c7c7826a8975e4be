"""A bundle on one core within a cap on memory, in a process of its own.

``python -m temperance.deployment.export.edge BUNDLE SECONDS RUNTIME`` prints one JSON value.
It loads no torch; RUNTIME is ``onnxruntime`` or ``numpy``.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from temperance.records.errors import BundleError

CAP = 256 * 2**20
SECONDS = 2.0
LONGEST = 120.0
HELD = {"resident_mb": "VmRSS", "own_mb": "RssAnon", "peak_mb": "VmHWM"}


def measure(folder: Path, *, seconds: float = SECONDS) -> dict[str, Any]:
    """Run the bundle's golden rows one after another on core 0 with 256 MB: by ONNX Runtime, and by NumPy alone.

    Returns:
        ``{"onnxruntime", "numpy"}``, each ``{"rows", "p50_ms", "p99_ms", "resident_mb", "own_mb", "peak_mb", "torch",
        "cap_mb", "core"}``: ``resident_mb`` is what the process holds at the end, the interpreter included, ``own_mb``
        the part of it that is no file of a library. ``numpy`` is ``{"refused"}`` where the graph needs ONNX Runtime.

    Raises:
        BundleError: it does not run within the cap.

    """
    found = {"onnxruntime": _measured(folder, "onnxruntime", seconds)}
    try:
        return {**found, "numpy": _measured(folder, "numpy", seconds)}
    except BundleError as fault:
        return {**found, "numpy": {"refused": fault.received}}


def _measured(folder: Path, runtime: str, seconds: float) -> dict[str, Any]:
    words = [sys.executable, "-m", "temperance.deployment.export.edge", str(folder), str(seconds), runtime]
    pinned = shutil.which("taskset")
    words = [pinned, "-c", "0", *words] if pinned else words
    single = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=LONGEST, env={**os.environ, **single})
    except subprocess.TimeoutExpired as error:
        raise BundleError(f"the edge run did not end within {LONGEST:g} s", "", "Export a smaller model") from error
    if done.returncode:
        said = done.stderr.strip().splitlines()
        raise BundleError(
            f"it does not run on one core with {CAP // 2**20} MB: {said[-1][:200] if said else done.returncode}",
            "a model that loads and answers there", "Export a smaller one with --max-size, or another trial",
        )  # fmt: skip
    found: dict[str, Any] = json.loads(done.stdout)
    if "refused" in found:
        raise BundleError(found["refused"], "nets for tables and linear models", "Use ONNX Runtime")
    return {**found, "core": "taskset -c 0" if pinned else "no taskset here: any core"}


def run(folder: Path, seconds: float, runtime: str) -> dict[str, Any]:
    """Answer golden rows one at a time for some seconds, in this process, under the cap."""
    with contextlib.suppress(ImportError, ValueError, OSError):  # Windows and macOS have no such cap
        import resource

        resource.setrlimit(resource.RLIMIT_DATA, (CAP, CAP))
    import numpy as np

    from temperance.deployment.bundle import load
    from temperance.deployment.export.golden import golden_rows
    from temperance.deployment.plain import PlainSession
    from temperance.deployment.runtime import session

    bundle = load(folder, runtime=PlainSession if runtime == "numpy" else session)
    rows = golden_rows(bundle)
    singles = [rows.take(slice(i, i + 1)) for i in range(rows.size)]
    times: list[float] = []
    until = time.perf_counter() + seconds
    while time.perf_counter() < until or len(times) < 100:
        one = singles[len(times) % len(singles)]
        began = time.perf_counter()
        bundle.predict(one)
        times.append(time.perf_counter() - began)
    p50, p99 = (1000 * float(q) for q in np.quantile(times, [0.5, 0.99]))
    return {
        "rows": len(times), "p50_ms": p50, "p99_ms": p99, **resident(), "torch": "torch" in sys.modules,
        "cap_mb": CAP // 2**20,
    }  # fmt: skip


def resident() -> dict[str, float | None]:
    """Return what this process holds, in MB of 10⁶ bytes; None where the system does not say."""
    try:
        lines = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines() if ":" in line)
        found = {name: int(lines[key].split()[0]) * 1024 / 1e6 for name, key in HELD.items()}
    except (OSError, KeyError, ValueError):
        return dict.fromkeys(HELD)
    return dict(found)


if __name__ == "__main__":
    try:
        print(json.dumps(run(Path(sys.argv[1]), float(sys.argv[2]), sys.argv[3])))
    except BundleError as fault:
        print(json.dumps({"refused": fault.received}))
