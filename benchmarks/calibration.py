"""Does calibration help, and does it ever hurt? Log loss on test rows, calibrated over as it was, many cells.

    python benchmarks/calibration.py --data DIR --half tuned --cells CACHE --record tuned.json

DIR has a folder per set with ``data.parquet`` and ``meta.json``. A cell is (set, model, seed, count of calibration
rows); see ``calibration_cells.py`` for the models and splits. Probabilities are kept in CACHE, so a second run only
calibrates. Each way is fitted on the calibration rows and judged on the test rows: every calibrator alone, isotonic
regression as the warning example (one class against the rest, shares made to sum to 1), and ``gated``, which ships.
*Hurt* is a test log loss more than 0.1 % higher than without calibration.
"""

from __future__ import annotations

import argparse
import json
import platform
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
import calibration_cells
import numpy as np
import scipy
import sklearn
from halves import SEEN, half
from sklearn.isotonic import IsotonicRegression

from temperance.evaluation.calibration import Beta, Matrix, Quadratic, Temperature, calibrate
from temperance.evaluation.calibration.base import floored_logs
from temperance.evaluation.calibration.gate import MARGIN
from temperance.study.ensemble import blend

SIZES = (60, 200, 1000)
CLIP = 1e-7


def loss(p: np.ndarray, y: np.ndarray) -> float:
    return float(-np.log(np.clip(p[np.arange(len(y)), y], CLIP, 1)).mean())


def isotonic(p: np.ndarray, y: np.ndarray, test: np.ndarray) -> np.ndarray:
    out = np.zeros_like(test)
    for c in range(p.shape[1]):
        step = IsotonicRegression(y_min=0, y_max=1, out_of_bounds="clip").fit(p[:, c], y == c)
        out[:, c] = step.predict(test[:, c])
    out = np.clip(out, CLIP, 1)
    return out / out.sum(axis=1, keepdims=True)


def measured(cell: dict[str, np.ndarray], size: int, margin: float) -> dict[str, Any] | None:
    """Return the test loss of every way, None where there are too few rows."""
    p, y, test, truth = (cell[k] for k in ("calibration", "calibration_target", "test", "test_target"))
    if len(y) < size:
        return None
    if p.ndim == 3:  # members: the weights are chosen on the very rows that the calibration is fitted on
        y = y[:size]
        weights = blend([m[:size] for m in p], y, np.arange(size) % 5).shares
        p, test = np.tensordot(weights, p[:, :size], 1), np.tensordot(weights, test, 1)
    p, y = p[:size], y[:size]
    row: dict[str, Any] = {"identity": loss(test, truth), "test_rows": len(truth), "classes": p.shape[1]}
    kinds = (Temperature, Quadratic, Beta, Matrix) if p.shape[1] == 2 else (Temperature, Matrix)
    for kind in kinds:
        row[kind.kind] = loss(kind.fit(floored_logs(p), y).apply(test), truth)
    row["isotonic"] = loss(isotonic(p, y, test), truth)
    started = time.process_time()
    found = calibrate(p, y, margin=margin)
    row |= {"seconds": time.process_time() - started, "kind": found.calibrator.kind, "share": found.share}
    row["gated"] = loss(found.calibrator.apply(test), truth)
    return row


def summary(rows: list[dict[str, Any]], way: str) -> dict[str, Any]:
    """Return share hurt, gains in percent with intervals over sets, and counts of won and lost cells."""
    held = [r for r in rows if way in r]
    gain = np.array([100 * (1 - r[way] / max(r["identity"], 1e-9)) for r in held])
    names = sorted({r["set"] for r in held})
    place = {n: np.flatnonzero([r["set"] == n for r in held]) for n in names}
    generator = np.random.default_rng(0)
    draws = []
    for _ in range(400):  # whole sets are drawn: cells of one set share rows
        some = gain[np.concatenate([place[n] for n in generator.choice(names, len(names))])]
        draws.append((np.median(some), np.clip(some, -100, 100).mean(), (some < -0.1).mean()))
    ends = np.percentile(draws, [2.5, 97.5], axis=0)
    return {
        "cells": len(held), "sets": len(names),
        "hurt": float((gain < -0.1).mean()), "hurt_interval": ends[:, 2].tolist(),
        "hurt_by_1_percent": float((gain < -1).mean()), "worst_percent": float(gain.min()),
        "median_gain_percent": float(np.median(gain)), "median_interval": ends[:, 0].tolist(),
        "mean_gain_percent": float(np.clip(gain, -100, 100).mean()), "mean_interval": ends[:, 1].tolist(),
        "won": int((gain > 0.1).sum()), "even": int((np.abs(gain) <= 0.1).sum()), "lost": int((gain < -0.1).sum()),
    }  # fmt: skip


def collect(settings: argparse.Namespace) -> list[dict[str, Any]]:
    rows = []
    for name in calibration_cells.sets(settings.data, lambda n: half(n) == settings.half):
        for seed in map(int, settings.seeds.split(",")):
            files = {m: settings.cells / f"{name}-{m}-{seed}.npz" for m in settings.models.split(",")}
            missing = () if settings.cached else tuple(m for m, f in files.items() if not f.exists())
            for model, cell in calibration_cells.cells(settings.data, name, seed, missing) if missing else ():
                np.savez_compressed(files[model], allow_pickle=False, **cell)
            for model, file in ((m, f) for m, f in files.items() if f.exists()):
                cell = dict(np.load(file, allow_pickle=False))
                for size in SIZES:
                    row = measured(cell, size, settings.margin)
                    if row is not None:
                        rows.append({"set": name, "model": model, "seed": seed, "rows": size, **row})
            print(name, seed, len(rows), flush=True)
    return rows


def tables(rows: list[dict[str, Any]]) -> dict[str, Any]:
    ways = ("gated", "temperature", "quadratic", "beta", "matrix", "isotonic")
    views = {"all": rows, "two classes": [r for r in rows if r["classes"] == 2]}
    views["more classes"] = [r for r in rows if r["classes"] > 2]
    views |= {f"{n} rows": [r for r in rows if r["rows"] == n] for n in SIZES}
    views |= {m: [r for r in rows if r["model"] == m] for m in calibration_cells.MODELS}
    views["sets never looked at before November 2026"] = [r for r in rows if r["set"] not in SEEN]
    return {
        view: {w: summary(some, w) for w in ways if any(w in r for r in some)} for view, some in views.items() if some
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--half", choices=("tuned", "once"), required=True)
    parser.add_argument("--cells", type=Path, required=True)
    parser.add_argument("--record", type=Path)
    parser.add_argument("--cached", action="store_true", help="only what is in CACHE")
    parser.add_argument("--seeds", default="0")
    parser.add_argument("--models", default=",".join(calibration_cells.MODELS))
    parser.add_argument("--margin", type=float, default=MARGIN, help="standard errors that the gate asks for")
    settings = parser.parse_args()
    settings.cells.mkdir(parents=True, exist_ok=True)
    started = time.process_time()
    rows = collect(settings)
    found = tables(rows)
    for view, ways in found.items():
        for way, r in ways.items():
            print(
                f"{view:16} {way:12} cells {r['cells']:4} hurt {r['hurt']:6.1%} "
                f"(>1%: {r['hurt_by_1_percent']:.1%}, worst {r['worst_percent']:.2f}) "
                f"median {r['median_gain_percent']:.3f} mean {r['mean_gain_percent']:.2f} "
                f"won {r['won']} even {r['even']} lost {r['lost']}"
            )
    if settings.record:
        head = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=False).stdout.strip()
        settings.record.parent.mkdir(parents=True, exist_ok=True)
        versions = {"python": platform.python_version(), "numpy": np.__version__, "scipy": scipy.__version__}
        told = f"--data DIR --half {settings.half} --cells CACHE --seeds {settings.seeds} --models {settings.models}"
        record = {
            "command": f"python benchmarks/calibration.py {told} --margin {settings.margin} --record RECORD",
            "commit": head, "half": settings.half, "versions": versions | {"scikit-learn": sklearn.__version__},
            "cpu_seconds": round(time.process_time() - started, 1),
            "seen_sets": sorted({r["set"] for r in rows} & SEEN), "summary": found,
            "cells": [{k: round(v, 6) if isinstance(v, float) else v for k, v in r.items()} for r in rows],
        }  # fmt: skip
        settings.record.write_text(json.dumps(record, separators=(",", ":")).replace('{"set"', '\n{"set"') + "\n")


if __name__ == "__main__":
    main()
