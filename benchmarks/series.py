"""Accuracy of a ``temperance study`` on series, beside a ridge classifier over the same family of random kernels.

    python benchmarks/series.py --data DIR --seeds 0,1,2
    python benchmarks/series.py --summary

``DIR/NAME/data.npz`` holds ``x_train``, ``y_train``, ``x_test``, ``y_test``: the split of the archive. A study gets the
training part and, as ``--test``, the test part, which it shows and never chooses by; the bundle that it ships is scored
on it. The peer: 10,000 features of ``Kernels`` with the seed of the run, scaled to unit deviation, and scikit-learn's
``RidgeClassifierCV`` (alphas 1e-3 to 1e3, leave one out), as Dempster et al. (2021) use theirs. The seed moves the
study's folds, nets and search; its own kernels are always drawn with seed 0. ``--budget 6trials`` is a count, so that
a busy machine changes no figure. ``halves.py`` says which sets were looked at while this was built.
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

sys.path.insert(0, str(Path(__file__).parent))
import numpy as np
from halves import half
from quality import ONE_THREAD, processor, revision

RECORDS = Path(__file__).parent / "records" / "series"
SETS = ("ts_arrowhead", "ts_gunpoint", "ts_italypowerdemand", "ts_basicmotions", "ts_japanesevowels")


def peer(data: Any, seed: int) -> float:
    """Return the test accuracy of the ridge over kernels."""
    from sklearn.linear_model import RidgeClassifierCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    from temperance.data.blocks.kernels import Kernels

    kernels = Kernels.fit(data["x_train"], features=10_000, seed=seed)
    model = make_pipeline(StandardScaler(), RidgeClassifierCV(alphas=np.logspace(-3, 3, 10)))
    model.fit(kernels.transform(data["x_train"]), data["y_train"])
    return float(model.score(kernels.transform(data["x_test"]), data["y_test"]))


def study(path: Path, seed: int, budget: str) -> dict[str, Any]:
    """Run one study and score its bundle on the test part."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "study"
        command = [
            sys.executable,
            "-c",
            "from temperance.cli import main; main()",
            "study",
            str(path),
            "--test",
            str(path),
            "--target",
            "y",
            "--budget",
            budget,
        ]
        command += ["--seed", str(seed), "--workers", "1", "--out", str(out), "--quiet"]
        started = time.monotonic()
        subprocess.run(command, check=True, env={**os.environ, **ONE_THREAD})
        seconds = time.monotonic() - started
        from temperance.data import read
        from temperance.deployment import load

        bundle = load(out / "bundle")
        table = read(path, target="y", schema=bundle.schema).table
        answer = bundle.predict(table.rows)
        document = json.loads((out / "study.json").read_text())
    trial = next(t for t in document["trials"] if t["id"] == document["winner"]["trial"])
    chance = np.clip(answer[np.arange(len(table)), table.target], 1e-7, 1)
    return {
        "accuracy": float((answer.argmax(axis=1) == table.target).mean()), "log_loss": float(-np.log(chance).mean()),
        "winner": trial["name"], "wall_seconds": round(seconds, 1), "trials": len(document["trials"]),
    }  # fmt: skip


def record(root: Path, name: str, seed: int, budget: str) -> dict[str, Any]:
    """Return the figures of one set and seed."""
    with np.load(root / name / "data.npz", allow_pickle=False) as archive:
        data = {key: archive[key] for key in archive.files}
    found = study(root / name / "data.npz", seed, budget)
    return {
        "benchmark": "series", "set": name, "half": half(name), "seed": seed, "budget": budget,
        "train": len(data["x_train"]), "test": len(data["x_test"]), "channels": data["x_train"].shape[1],
        "length": data["x_train"].shape[2], "temperance": found, "ridge_over_kernels": peer(data, seed),
        "when": datetime.now(UTC).isoformat(timespec="seconds"), "revision": revision(), "processor": processor(),
        "python": platform.python_version(), "numpy": np.__version__,
    }  # fmt: skip


def summary() -> str:
    """Return a table over all records: mean over seeds, spread, difference."""
    rows: dict[str, list[dict[str, Any]]] = {}
    for path in sorted(RECORDS.glob("*.json")):
        row = json.loads(path.read_text())
        rows.setdefault(row["set"], []).append(row)
    heads = ("set", "half", "rows", "seeds", "study", "ridge over kernels", "difference", "winners")
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    for name in [one for one in SETS if one in rows]:
        found = rows[name]
        ours = np.array([row["temperance"]["accuracy"] for row in found])
        theirs = np.array([row["ridge_over_kernels"] for row in found])
        winners = ", ".join(sorted({row["temperance"]["winner"] for row in found}))
        first = found[0]
        lines.append(
            f"| {name} | {first['half']} | {first['train']} / {first['test']} | {len(found)} "
            f"| {ours.mean():.3f} ({ours.min():.3f}-{ours.max():.3f}) | {theirs.mean():.3f} "
            f"({theirs.min():.3f}-{theirs.max():.3f}) | {(ours - theirs).mean():+.3f} | {winners} |"
        )
    return "\n".join(lines) + "\n"


def main() -> None:
    """Run what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--sets", default=",".join(SETS))
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--budget", default="6trials")
    parser.add_argument("--summary", action="store_true")
    asked = parser.parse_args()
    RECORDS.mkdir(parents=True, exist_ok=True)
    if not asked.summary:
        for seed in map(int, asked.seeds.split(",")):
            for name in asked.sets.split(","):
                row = record(asked.data, name, seed, asked.budget)
                (RECORDS / f"{name}-s{seed}.json").write_text(json.dumps(row, indent=1) + "\n")
                print(name, seed, row["temperance"], row["ridge_over_kernels"], flush=True)
    (RECORDS / "summary.md").write_text(summary())
    print(summary())


if __name__ == "__main__":
    main()
