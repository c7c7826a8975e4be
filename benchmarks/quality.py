"""Test scores of a 60 s study beside its peers, on real tables.

    python benchmarks/quality.py --data DIR --sets adult,abalone --seeds 0,1,2 --methods temperance,hgb-tuned
    python benchmarks/quality.py --data DIR --peer-python /other/venv/bin/python --methods realmlp-td,tabm-d
    python benchmarks/quality.py --summary

DIR has a folder per set with ``data.parquet`` and ``meta.json`` (``target``, ``task``: classification or regression;
``split_columns`` are dropped). One record per cell (set, seed, method) in ``benchmarks/records/quality``; cells that
have a record are not run again (failed ones are). Every method gets the same rows: per seed 80 % for training
(validation is the method's own affair) and 20 % for the test, by class. One thread a process. A study has 60 s of
wall clock on two processes, everything included; "hgb-tuned" searches for 60 CPU-seconds in one process. Cells over
``--cpu-limit`` are recorded as timed out.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
import numpy as np
from peers import summary

HERE = Path(__file__).parent
COMMAND = str(Path(sys.executable).with_name("temperance"))
RECORDS = HERE / "records" / "quality"
CLASSES = "attrition credit_g australian vehicle phoneme churn telco_churn satimage jungle_chess adult"
VALUES = "concrete abalone wine_quality_white kin8nm california_housing diamonds"
SETS = (*CLASSES.split(), *VALUES.split())
METHODS = ("temperance", "hgb-default", "hgb-tuned", "mlp", "realmlp-td", "realmlp-td-accuracy", "tabm-d")
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")


@dataclass(frozen=True)
class Split:
    """One set cut for one seed: frames for the study, arrays for the peers."""

    name: str
    seed: int
    task: str
    target: str
    train: Any
    test: Any
    labels: tuple[str, ...]

    @property
    def truth(self) -> np.ndarray:
        return self.coded(self.test)

    def coded(self, frame: Any) -> np.ndarray:
        column = frame[self.target]
        if self.task == "regression":
            return column.to_numpy().astype(np.float64)
        return np.searchsorted(np.array(self.labels), column.cast(str).to_numpy().astype(str))


def cut(data: Path, name: str, seed: int) -> Split:
    """Read a set and split it: 80 % and 20 %, each class alike."""
    import polars as pl
    from sklearn.model_selection import train_test_split

    meta = json.loads((data / name / "meta.json").read_text())
    frame = pl.read_parquet(data / name / "data.parquet").drop(meta.get("split_columns") or [], strict=False)
    frame = frame.drop_nulls(meta["target"])
    classes = meta["task"] == "classification"
    labels = tuple(sorted(frame[meta["target"]].cast(str).unique().to_list())) if classes else ()
    by = frame[meta["target"]].to_numpy() if classes else None
    train, test = train_test_split(np.arange(len(frame)), test_size=0.2, random_state=seed, stratify=by)
    return Split(name, seed, meta["task"], meta["target"], frame[np.sort(train)], frame[np.sort(test)], labels)


def arrays(split: Split) -> dict[str, Any]:
    """Return numbers and category codes; codes of the training rows, -1 for missing and unseen; identifiers dropped."""
    out: dict[str, Any] = {"regression": split.task == "regression", "classes": len(split.labels), "seed": split.seed}
    numeric, named = [], []
    for name, kind in split.train.drop(split.target).schema.items():
        if kind.is_numeric():
            numeric.append(name)
        elif split.train[name].n_unique() < 0.95 * len(split.train):
            named.append(name)
    for part, frame in (("", split.train), ("_test", split.test)):
        columns = [frame[n].cast(float).to_numpy().astype(np.float64) for n in numeric]
        out["x" + part] = np.stack(columns, axis=1) if columns else np.zeros((len(frame), 0))
        codes = []
        for name in named:
            known = {v: i for i, v in enumerate(sorted(split.train[name].drop_nulls().cast(str).unique().to_list()))}
            codes.append(np.array([known.get(v, -1) for v in frame[name].cast(str).to_list()]))
        out["c" + part] = np.stack(codes, axis=1) if codes else np.zeros((len(frame), 0), np.int64)
        out["y" + part] = split.coded(frame)
    return out


def scores(truth: np.ndarray, predicted: np.ndarray) -> dict[str, float]:
    """Return accuracy, log loss (probabilities at least 1e-15) and Brier score; or RMSE, MAE and R²."""
    if predicted.ndim == 1:
        error = predicted - truth
        rmse = float(np.sqrt(np.mean(error**2)))
        return {
            "rmse": rmse, "mae": float(np.abs(error).mean()), "r2": 1 - rmse**2 / float(truth.var()),
        }  # fmt: skip
    p = np.clip(predicted, 1e-15, None)
    p = p / p.sum(axis=1, keepdims=True)
    hot = np.eye(p.shape[1])[truth]
    return {
        "accuracy": float(np.mean(p.argmax(axis=1) == truth)),
        "log_loss": float(-np.log(p[np.arange(len(truth)), truth]).mean()),
        "brier": float(((p - hot) ** 2).sum(axis=1).mean()),
    }


def run_study(split: Split, folder: Path, given: argparse.Namespace) -> dict[str, Any]:
    """Run ``temperance study`` and score its bundle on the test rows, as users would."""
    import polars as pl

    train, test, out = folder / "train.parquet", folder / "test.parquet", folder / "study"
    split.train.write_parquet(train)
    split.test.write_parquet(test)
    command = [COMMAND, "study", str(train), "--target", split.target, "--test", str(test),
               "--task", split.task, "--budget", given.budget, "--seed", str(split.seed), "--workers", "2",
               "--out", str(out), "--quiet"]  # fmt: skip
    if given.metric:
        command += ["--metric", given.metric]
    began = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **ONE_THREAD})
    wall = time.perf_counter() - began
    if done.returncode:
        return {"status": "failed", "why": done.stderr[-2000:], "wall_seconds": round(wall, 2)}
    answers = folder / "answers.parquet"
    predict = [COMMAND, "predict", str(out / "bundle"), str(test), "--out", str(answers)]
    done = subprocess.run([*predict, "--quiet"], capture_output=True, text=True, env={**os.environ, **ONE_THREAD})
    if done.returncode:
        return {"status": "failed", "why": done.stderr[-2000:], "wall_seconds": round(wall, 2)}
    frame = pl.read_parquet(answers)
    if split.task == "regression":
        predicted = frame["prediction"].to_numpy().astype(np.float64)
    else:
        predicted = frame.select([f"probability_{label}" for label in split.labels]).to_numpy()
    return {
        "status": "done", "metrics": scores(split.truth, predicted), "wall_seconds": round(wall, 2),
        **told(json.loads((out / "study.json").read_text())),
    }  # fmt: skip


def told(document: dict[str, Any]) -> dict[str, Any]:
    """Return what a study says of itself: winner, its parts, its time."""
    winner = document["winner"]
    trial = next(t for t in document["trials"] if t["id"] == winner["trial"])
    value = {k: m.get("value") for k, m in winner.get("test", {}).items()}
    rivals = {}
    for name in ("plain_test", "boosting_test", "simple_test"):
        found = winner.get(name)
        if found:
            rivals[name] = {k: m.get("value") for k, m in found.get("measurements", {}).items()}
    return {
        "winner": {"name": trial["name"], "kind": trial["kind"], "model": trial["model"]}, "said": value,
        "rivals": rivals, "trials": len(document["trials"]), "spent": document["budget"]["spent"],
        "left_out": [entry["what"] for entry in document["budget"]["left_out"]],
    }  # fmt: skip


def run_peer(split: Split, method: str, folder: Path, given: argparse.Namespace) -> dict[str, Any]:
    np.savez(folder / "split.npz", **arrays(split))
    python = given.peer_python if method.startswith(("realmlp", "tabm")) else sys.executable
    command = [python, str(HERE / "peers" / "predict.py"), method, str(folder / "split.npz"), str(folder / "out.npz"),
               "--tuning-seconds", str(given.tuning_seconds), "--cpu-limit", str(given.cpu_limit)]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **ONE_THREAD}, cwd=folder)
    if done.returncode in (-24, -9):
        return {"status": "timed out", "cpu_seconds": given.cpu_limit}
    if done.returncode:
        if "pytabkit is not installed" in done.stderr:
            sys.exit(f"{method}: {done.stderr.strip()}")
        return {"status": "failed", "why": done.stderr[-2000:]}
    about = json.loads((folder / "out.json").read_text())
    with np.load(folder / "out.npz") as file:
        metrics = scores(split.truth, file["p"])
        if "p_accuracy" in file.files:  # chosen by accuracy, and scored for it; the other by loss
            about["accuracy_of_loss_winner"] = metrics["accuracy"]
            metrics["accuracy"] = scores(split.truth, file["p_accuracy"])["accuracy"]
    return {"status": "done", "metrics": metrics, **about}


def cell(name: str, seed: int, method: str, given: argparse.Namespace) -> None:
    path = given.records / f"{name}-s{seed}-{method}.json"
    if path.exists() and json.loads(path.read_text())["status"] != "failed":
        return
    split = cut(given.data, name, seed)
    if split.task == "regression" and method.endswith("-accuracy"):
        return
    commit = revision()
    with tempfile.TemporaryDirectory(prefix="quality-") as folder:
        study = method.startswith("temperance")
        result = run_study(split, Path(folder), given) if study else run_peer(split, method, Path(folder), given)
    record = {
        "benchmark": "quality", "set": name, "seed": seed, "method": method, "task": split.task,
        "rows": {"train": len(split.train), "test": len(split.test)}, **result,
        "budget": given.budget if study else None, "commit": commit,
        "created": datetime.now(UTC).isoformat(timespec="seconds"), "load": os.getloadavg()[0],
        "machine": {"cores": os.cpu_count(), "cpu": processor()}, "python": platform.python_version(),
    }  # fmt: skip
    temporary = path.with_suffix(".part")
    temporary.write_text(json.dumps(record, indent=1))
    os.replace(temporary, path)
    shown = " ".join(f"{k} {v:.4f}" for k, v in result.get("metrics", {}).items())
    print(
        f"{name} seed {seed} {method}: {result['status']} {shown} ({result.get('cpu_seconds', '')} CPU s)", flush=True
    )


def revision() -> str:
    """Return the commit, with ``+changes`` where the sources differ from it."""
    run = ["git", "-C", str(HERE.parent)]
    head = subprocess.run([*run, "rev-parse", "--short=12", "HEAD"], capture_output=True, text=True).stdout.strip()
    changed = subprocess.run([*run, "status", "--porcelain", "--", "src"], capture_output=True, text=True).stdout
    return head + ("+changes" if changed.strip() else "")


def processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())


def in_order(given: argparse.Namespace) -> list[tuple[str, int, str]]:
    """Return the cells: method by method as named, seeds first to last, small files before large."""
    size = {name: (given.data / name / "data.parquet").stat().st_size for name in given.sets}
    sets = sorted(given.sets, key=lambda name: size[name]) if given.by_size else given.sets
    return [(name, seed, method) for seed, method, name in itertools.product(given.seeds, given.methods, sets)]


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words = lambda text: tuple(part for part in text.split(",") if part)  # noqa: E731
    parser.add_argument("--data", type=Path, metavar="DIR")
    parser.add_argument("--sets", type=words, default=SETS)
    parser.add_argument("--seeds", type=lambda text: tuple(int(s) for s in words(text)), default=(0, 1, 2))
    parser.add_argument("--methods", type=words, default=METHODS)
    parser.add_argument("--budget", default="60s")
    parser.add_argument("--metric", help="of the study; else log loss or RMSE")
    parser.add_argument("--peer-python", default=sys.executable, help="a Python that has pytabkit")
    parser.add_argument("--tuning-seconds", type=float, default=60.0, help="CPU-seconds of the search of hgb-tuned")
    parser.add_argument("--cpu-limit", type=int, default=480, help="CPU-seconds a peer may take")
    parser.add_argument("--jobs", type=int, default=1, help="cells at once (peers only)")
    parser.add_argument("--by-size", action="store_true", help="small sets first")
    parser.add_argument("--records", type=Path, default=RECORDS)
    parser.add_argument("--summary", action="store_true", help="write summary.json and summary.md")
    return parser.parse_args()


def main() -> None:
    given = arguments()
    given.records.mkdir(parents=True, exist_ok=True)
    if given.data is not None:
        with ThreadPoolExecutor(given.jobs) as pool:
            for future in [pool.submit(cell, *one, given) for one in in_order(given)]:
                future.result()
    elif not given.summary:
        print("quality: no --data DIR, so no cell is run; the summary is made of the records there are")
    if given.summary or given.data is None:
        print(summary.write(given.records))


if __name__ == "__main__":
    main()
