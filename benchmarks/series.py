"""Accuracy of a ``temperance study`` on series, beside a ridge classifier over the same family of random kernels.

    python benchmarks/series.py --data DIR --seeds 0,1,2
    python benchmarks/series.py --summary

``DIR/NAME/data.npz`` holds ``x_train``, ``y_train``, ``x_test``, ``y_test``: the split of the archive. A study gets the
training part and, as ``--test``, the test part, which it shows and never chooses by; the bundle that it ships is scored
on it. The peer: 10,000 features of ``Kernels`` with the seed of the run, scaled to unit deviation, and scikit-learn's
``RidgeClassifierCV`` (alphas 1e-3 to 1e3, leave one out), as Dempster et al. (2021) use theirs. It sees
no level of a channel, because kernels sum to zero and series are centred: on ``ts_japanesevowels`` that costs it
much, and being better there is no merit of the kernels. ``--peers`` runs the ridge and the wide linear model alone, on
all training rows, its penalty chosen over the folds. The seed moves the
study's folds, nets and search; its own kernels are always drawn with seed 0. ``--budget 5trials`` is a count, so that
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


def wide(path: Path, seed: int) -> float:
    """Return the test accuracy of the wide linear model alone, its penalty chosen over the folds of the study."""
    from temperance.data import read, split
    from temperance.data.blocks import Blocks, fit_blocks
    from temperance.models.basic import BASIC, Sample, cross_fit

    table = read(path, target="y").table
    test = read(path, target="y", schema=table.schema).table
    roles = split(table, seed=seed, test=test)

    def inputs(index: Any) -> Blocks:
        return Blocks(fit_blocks(table.rows.take(index), table.schema), table.schema)

    whole = Sample(table.rows, table.target)
    found = cross_fit(BASIC["Wide"](), whole, roles.folds, schema=table.schema, seed=seed, inputs=inputs)
    assert found is not None, "no clock ends it"
    model = BASIC["Wide"](**found.chosen)
    fitted = model.fit(
        table.rows, table.target, schema=table.schema, valid=None, seed=seed, inputs=inputs(roles.development)
    )
    return float((fitted.predict(test.rows).argmax(axis=1) == test.target).mean())


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


def record(root: Path, name: str, seed: int, budget: str, *, peers: bool) -> dict[str, Any]:
    """Return the figures of one set and seed."""
    with np.load(root / name / "data.npz", allow_pickle=False) as archive:
        data = {key: archive[key] for key in archive.files}
    found = None if peers else study(root / name / "data.npz", seed, budget)
    return {
        "benchmark": "series", "set": name, "half": half(name), "seed": seed, "budget": budget,
        "train": len(data["x_train"]), "test": len(data["x_test"]), "channels": data["x_train"].shape[1],
        "length": data["x_train"].shape[2], "temperance": found,
        "wide_linear_model": wide(root / name / "data.npz", seed), "ridge_over_kernels": peer(data, seed),
        "when": datetime.now(UTC).isoformat(timespec="seconds"), "revision": revision(), "processor": processor(),
        "python": platform.python_version(), "numpy": np.__version__,
    }  # fmt: skip


def _spread(values: list[float]) -> str:
    """Return mean and range."""
    if not values:
        return "-"
    return f"{np.mean(values):.3f} ({min(values):.3f} to {max(values):.3f})"


def summary() -> str:
    """Return a table over all records: mean over seeds, spread, difference."""
    rows: dict[str, list[dict[str, Any]]] = {}
    for path in sorted(RECORDS.glob("*.json")):
        row = json.loads(path.read_text())
        rows.setdefault(row["set"], []).append(row)
    heads = ("set", "half", "rows", "ridge over kernels", "wide linear model", "study", "seeds of both", "winners")
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    for name in [one for one in SETS if one in rows]:
        found = rows[name]
        studies = [row["temperance"] for row in found if row["temperance"]]
        winners = ", ".join(sorted({one["winner"] for one in studies}))
        cells = [
            name, found[0]["half"], f"{found[0]['train']} / {found[0]['test']}",
            _spread([row["ridge_over_kernels"] for row in found]), _spread([row["wide_linear_model"] for row in found]),
            _spread([one["accuracy"] for one in studies]), f"{len(found)}, {len(studies)}", winners,
        ]  # fmt: skip
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Run what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--sets", default=",".join(SETS))
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--budget", default="5trials")
    parser.add_argument("--peers", action="store_true", help="no study: the wide linear model and the ridge alone")
    parser.add_argument("--summary", action="store_true")
    asked = parser.parse_args()
    RECORDS.mkdir(parents=True, exist_ok=True)
    if not asked.summary:
        for seed in map(int, asked.seeds.split(",")):
            for name in asked.sets.split(","):
                row = record(asked.data, name, seed, asked.budget, peers=asked.peers)
                path = RECORDS / f"{name}-s{seed}.json"
                if asked.peers and path.exists():
                    row = {**row, **{k: v for k, v in json.loads(path.read_text()).items() if k == "temperance"}}
                path.write_text(json.dumps(row, indent=1) + "\n")
                print(name, seed, row["temperance"], row["ridge_over_kernels"], flush=True)
    (RECORDS / "summary.md").write_text(summary())
    print(summary())


if __name__ == "__main__":
    main()
