"""False alarms and delays of the monitor, beside windowed PSI and KS (and river's ADWIN where it is installed).

    python benchmarks/drift_false_alarms.py            # about four minutes of CPU; resumes: finished cells are kept
    PYTHONPATH=/folder/with/river python benchmarks/drift_false_alarms.py

Record: benchmarks/records/drift_false_alarms.json, one entry per cell. 30 numeric features, 62 channels, no drift: rows
until the first alarm of any channel. Delay: one feature of 30 moves by 0.2, 0.5 or 1 standard deviation after 5,000
rows; drift comes 16 rows a call, the monitor looks every 64.
Peers judge each feature alone; their alarms are counted over all features, as the monitor's are.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
import numpy as np

from temperance import __version__
from temperance.monitoring import reference
from temperance.monitoring.detectors.kolmogorov_smirnov import KolmogorovSmirnov
from temperance.monitoring.detectors.stability_index import StabilityIndex
from temperance.monitoring.monitor import Monitor
from temperance.records.schema import Column, Rows, Schema, Target

RECORD = Path(__file__).parent / "records" / "drift_false_alarms.json"
FEATURES, CHUNK, LEAD = 30, 512, 5_000
SCHEMA = Schema(tuple(Column(f"x{i}", "numeric") for i in range(FEATURES)), Target("y", "binary", ("no", "yes")))
Watch = Callable[[np.ndarray], bool]


def predict(x: np.ndarray) -> np.ndarray:
    p = 1 / (1 + np.exp(-x[:, 0] - x[:, 1]))
    return np.stack([1 - p, p], axis=1)


def rows(x: np.ndarray) -> Rows:
    return Rows(x, np.empty((len(x), 0), np.int32))


def monitor(known: np.ndarray, **settings: float) -> Watch:
    watch = Monitor(reference.build(rows(known), predict(known), SCHEMA), SCHEMA, **settings)

    def alarm(x: np.ndarray) -> bool:
        watch.observe(rows(x), predict(x))
        return bool(watch.panel.alarmed.any())

    return alarm


def windowed(make: Callable[[], StabilityIndex | KolmogorovSmirnov]) -> Callable[[np.ndarray], Watch]:
    def build(known: np.ndarray) -> Watch:
        tests = [make() for _ in range(FEATURES)]
        for test, column in zip(tests, known.T, strict=True):
            test.start(column)

        def alarm(x: np.ndarray) -> bool:
            verdicts = [test.observe(column) for test, column in zip(tests, x.T, strict=True)]
            return any(v.details["alarms"] > 0 for v in verdicts)

        return alarm

    return build


def adwin(known: np.ndarray) -> Watch:
    from river.drift import ADWIN

    tests = [ADWIN() for _ in range(FEATURES)]
    for test, column in zip(tests, known.T, strict=True):
        for value in column.tolist():
            test.update(value)

    def alarm(x: np.ndarray) -> bool:
        out = False
        for test, column in zip(tests, x.T, strict=True):
            for value in column.tolist():
                test.update(value)
                out = out or test.drift_detected
        return out

    return alarm


DETECTORS: dict[str, Callable[[np.ndarray], Watch]] = {
    "monitor": monitor,
    "psi > 0.2, window 500": windowed(lambda: StabilityIndex(window=500, limit=0.2)),
    "psi > 0.1, window 500": windowed(lambda: StabilityIndex(window=500, limit=0.1)),
    "ks p < 0.05, window 500": windowed(lambda: KolmogorovSmirnov(window=500, level=0.05)),
    "ks p < 0.05 / 30, window 500": windowed(lambda: KolmogorovSmirnov(window=500, level=0.05 / FEATURES)),
    "adwin (river)": adwin,
}


def run_length(build: Callable[[np.ndarray], Watch], *, known: int, most: int, seed: int) -> int:
    """Return rows until the first alarm without drift, or ``most`` when there was none."""
    rng = np.random.default_rng(seed)
    watch = build(rng.normal(size=(known, FEATURES)))
    for seen in range(CHUNK, most + 1, CHUNK):
        if watch(rng.normal(size=(CHUNK, FEATURES))):
            return seen
    return most


def delay(build: Callable[[np.ndarray], Watch], *, shift: float, seed: int, most: int = 8_192) -> int | None:
    """Return rows from the onset of drift to the alarm; ``most`` when missed; None when it alarmed before."""
    rng = np.random.default_rng(10_000 + seed)
    watch = build(rng.normal(size=(2_000, FEATURES)))
    for _ in range(0, LEAD, 500):
        if watch(rng.normal(size=(500, FEATURES))):
            return None
    for seen in range(16, most + 1, 16):
        x = rng.normal(size=(16, FEATURES))
        x[:, 5] += shift
        if watch(x):
            return seen
    return most


def cells(runs: int) -> Iterator[tuple[str, Callable[[], dict[str, object]]]]:
    for known in (100, 1_000, 5_000):
        for settings in ({}, {"average_run_length": 2_000.0}):
            stated = int(settings.get("average_run_length", 100_000))
            most = 204_800 if stated == 100_000 else 40_960
            yield (
                f"no drift: monitor, {known} reference rows, stated {stated}",
                lambda k=known, s=settings, m=most: no_drift(lambda x: monitor(x, **s), k, m, runs),
            )
    for name, build in DETECTORS.items():
        if name == "monitor" or (name.startswith("adwin") and not has_river()):
            continue
        yield f"no drift: {name}, 5000 reference rows", lambda b=build: no_drift(b, 5_000, 40_960, runs)
    for name, build in DETECTORS.items():
        for shift in (0.2, 0.5, 1.0):
            if name.startswith("adwin") and not has_river():
                continue
            yield f"delay: {name}, shift {shift}", lambda b=build, s=shift: delays(b, s, 2 * runs)


def has_river() -> bool:
    try:
        import river.drift  # noqa: F401
    except ImportError:
        return False
    return True


def no_drift(build: Callable[[np.ndarray], Watch], known: int, most: int, runs: int) -> dict[str, object]:
    lengths = [run_length(build, known=known, most=most, seed=seed) for seed in range(runs)]
    alarms = sum(length < most for length in lengths)
    return {
        "runs": runs,
        "rows": sum(lengths),
        "alarms": alarms,
        "average_run_length": sum(lengths) / alarms if alarms else None,
        "at_least": sum(lengths) / 3 if not alarms else None,  # 95 % bound when nothing was seen (rule of three)
        "per_100k_rows": 1e5 * alarms / sum(lengths),
    }


def delays(build: Callable[[np.ndarray], Watch], shift: float, runs: int) -> dict[str, object]:
    all_runs = [delay(build, shift=shift, seed=seed) for seed in range(runs)]
    found = [d for d in all_runs if d is not None]
    return {
        "runs": runs,
        "alarmed_before_drift": runs - len(found),
        "missed": sum(d >= 8_192 for d in found),
        "median_delay": float(np.median(found)) if found else None,
        "p90_delay": float(np.quantile(found, 0.9)) if found else None,
    }


def cost(requests: int = 12_800) -> dict[str, object]:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(2_000, FEATURES))
    watch = Monitor(reference.build(rows(x), predict(x), SCHEMA), SCHEMA)
    x = rng.normal(size=(requests, FEATURES))
    single = [(rows(x[i : i + 1]), predict(x[i : i + 1])) for i in range(requests)]
    best = np.inf
    for part in range(4):
        begin = time.process_time()
        for one, prediction in single[part::4]:
            watch.observe(one, prediction)
        best = min(best, (time.process_time() - begin) / (requests / 4))
    return {"features": FEATURES, "channels": len(watch.names), "microseconds_cpu_per_request": round(best * 1e6, 2)}


def save(record: dict[str, object]) -> None:
    RECORD.parent.mkdir(exist_ok=True)
    swap = RECORD.with_suffix(".tmp")
    swap.write_text(json.dumps(record, indent=1) + "\n")
    os.replace(swap, RECORD)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=8)
    parser.add_argument("--fresh", action="store_true", help="forget finished cells")
    options = parser.parse_args()
    record = {} if options.fresh or not RECORD.exists() else json.loads(RECORD.read_text())
    record |= {
        "command": " ".join(["python", *sys.argv]),
        "versions": {"temperance": __version__, "numpy": np.__version__, "python": platform.python_version()},
        "seed": "0 … runs − 1",
        "not_verified": "independent normal features only; traffic that depends on time is drift to any such test",
    }
    record["cost"] = cost()
    done = record.setdefault("cells", {})
    save(record)
    for name, work in cells(options.runs):
        if name not in done:
            begin = time.process_time()
            done[name] = {**work(), "cpu_seconds": 0.0}
            done[name]["cpu_seconds"] = round(time.process_time() - begin, 2)
            save(record)
        print(name, {k: v for k, v in done[name].items() if v is not None}, flush=True)


if __name__ == "__main__":
    main()
