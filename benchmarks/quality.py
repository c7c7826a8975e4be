"""Test scores of a study beside its peers, equal core-seconds, on real tables of one half of the development sets.

    python benchmarks/quality.py --data DIR --budget 30s --workers 1 --seeds 0 --methods temperance
    python benchmarks/quality.py --data DIR --peer-python /other/venv/bin/python --core-seconds 30 --methods hgb-tuned
    python benchmarks/quality.py --summary

DIR has a folder per set with ``data.parquet`` and ``meta.json`` (``target``, ``task``: classification or regression;
``split_columns`` are dropped). ``--half once`` (the default; ``halves.py``) are the sets that nothing was tuned on. One
line per cell (set, seed, method, core-seconds) is added to ``cells.jsonl`` in ``benchmarks/records/quality_2026_12``;
cells that have a line are not run again (failed ones are).

Every method gets the same rows and columns: columns known after the outcome and identifiers dropped (``DROPPED``), rows
of classes with fewer than 10 rows dropped, per seed 20 % (at most 10,000 rows) for the test and at most ``--rows`` of
the others for everything else, each class alike. A study has ``--budget`` of wall clock on ``--workers`` processes,
everything included: budget × workers are its core-seconds. A peer has as many seconds of CPU time on one thread,
everything included too, whatever else the machine does. With ``--cpu-clock`` a study's budget counts CPU-seconds of its
processes too (``cpu_clock/sitecustomize.py``): for a machine that others use. ``--hashed`` takes the sets in the order
of a hash of their names, so that where the time ends nothing was picked, and each set's methods together.

Scores are not printed: who runs this need not have seen them.
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import itertools
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
import numpy as np
from halves import SEEN, half
from peers import summary

HERE = Path(__file__).parent
COMMAND = str(Path(sys.executable).with_name("temperance"))
RECORDS = HERE / "records" / "quality_2026_12"
CLASSES = (
    "adult amazon_employee_access anneal arrhythmia attrition australian bank_marketing blood_transfusion car cells "
    "churn cnae_9 connect_4 covertype_15k credit_g dna electricity_elec2 gametes_2way_20 hill_valley_with_noise "
    "jungle_chess kc1 kr_vs_kp letter mfeat_factors mushroom noaa_weather outdoor_objects phoneme satimage "
    "segmentation semeion shuttle skin_segmentation soybean spambase splice student_portuguese sylvine telco_churn "
    "titanic vehicle yeast"
)
VALUES = (
    "2dplanes abalone airfoil ames_housing bike_sharing_hour california_housing concrete cpu_act diamonds "
    "energy_efficiency kin8nm protein swd wine_quality_red wine_quality_white"
)
SETS = (*CLASSES.split(), *VALUES.split())
DROPPED = {
    "student_portuguese": ("G1", "G2", "G3"), "titanic": ("alive",), "bank_marketing": ("duration",),
    "telco_churn": ("customerID",),
}  # fmt: skip
METHODS = (
    "temperance", "hgb-tuned", "lightgbm", "catboost", "perpetual", "hgb-default", "linear", "realmlp-td", "tabm-d",
)  # fmt: skip
RARE = 10  # rows that a class needs
MOST_TEST_ROWS = 10_000
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


def cut(data: Path, name: str, seed: int, most: int) -> Split:
    """Read a set and split it: 20 % for the test, at most ``most`` rows for the rest; each class alike."""
    import polars as pl
    from sklearn.model_selection import train_test_split

    meta = json.loads((data / name / "meta.json").read_text())
    target = meta["target"]
    away = [*(meta.get("split_columns") or []), *DROPPED.get(name, ())]
    frame = pl.read_parquet(data / name / "data.parquet").drop(away, strict=False).drop_nulls(target)
    classes = meta["task"] == "classification"
    if classes:
        frame = frame.filter(pl.len().over(target) >= RARE)
    labels = tuple(sorted(frame[target].cast(str).unique().to_list())) if classes else ()
    by = frame[target].cast(str).to_numpy().astype(str) if classes else np.zeros(len(frame))
    test_rows = min(round(0.2 * len(frame)), MOST_TEST_ROWS)
    train, test = train_test_split(np.arange(len(frame)), test_size=test_rows, random_state=seed, stratify=by)
    if len(train) > most:
        train, _ = train_test_split(train, train_size=most, random_state=seed, stratify=by[train])
    return Split(name, seed, meta["task"], target, frame[np.sort(train)], frame[np.sort(test)], labels)


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


def row_losses(truth: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """Return each test row's log loss, or squared error; probabilities are kept at or above 1e-6 for everyone alike."""
    if predicted.ndim == 1:
        return (predicted - truth) ** 2
    p = np.clip(predicted, 1e-6, None)
    p = p / p.sum(axis=1, keepdims=True)
    return -np.log(p[np.arange(len(truth)), truth])


def scores(truth: np.ndarray, predicted: np.ndarray) -> dict[str, float]:
    """Return accuracy, log loss and Brier score; or RMSE, MAE and R²."""
    losses = row_losses(truth, predicted)
    if predicted.ndim == 1:
        rmse = float(np.sqrt(losses.mean()))
        return {
            "rmse": rmse, "mae": float(np.abs(predicted - truth).mean()), "r2": 1 - rmse**2 / float(truth.var()),
        }  # fmt: skip
    hot = np.eye(predicted.shape[1])[truth]
    return {
        "accuracy": float(np.mean(predicted.argmax(axis=1) == truth)), "log_loss": float(losses.mean()),
        "brier": float(((predicted - hot) ** 2).sum(axis=1).mean()),
    }  # fmt: skip


def run_study(split: Split, folder: Path, given: argparse.Namespace) -> tuple[dict[str, Any], np.ndarray | None]:
    """Run ``temperance study`` and let its bundle answer the test rows, as users would."""
    import polars as pl

    train, test, out = folder / "train.parquet", folder / "test.parquet", folder / "study"
    split.train.write_parquet(train)
    split.test.write_parquet(test)
    command = [COMMAND, "study", str(train), "--target", split.target, "--test", str(test),
               "--task", split.task, "--budget", given.budget, "--seed", str(split.seed),
               "--workers", str(given.workers), "--out", str(out), "--quiet"]  # fmt: skip
    began = time.perf_counter()
    code, said, cpu = timed(command, cpu_clock(folder) if given.cpu_clock else {})
    about = {"wall_seconds": round(time.perf_counter() - began, 2), "cpu_seconds": cpu}
    if code:
        return {"status": "failed", "why": said, **about}, None
    answers = folder / "answers.parquet"
    code, said, _ = timed([COMMAND, "predict", str(out / "bundle"), str(test), "--out", str(answers), "--quiet"])
    if code:
        return {"status": "failed", "why": said, **about}, None
    frame = pl.read_parquet(answers)
    if split.task == "regression":
        predicted = frame["prediction"].to_numpy().astype(np.float64)
    else:
        predicted = frame.select([f"probability_{label}" for label in split.labels]).to_numpy()
    document = json.loads((out / "study.json").read_text())
    return {"status": "done", **about, "said": document.get("winner", {}).get("test")}, predicted


def cpu_clock(folder: Path) -> dict[str, str]:
    """Return environment variables by which a command's processes count time in CPU-seconds."""
    (folder / "processes").touch()
    paths = [str(HERE / "cpu_clock"), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {"CPU_CLOCK": str(folder / "processes"), "PYTHONPATH": os.pathsep.join(paths)}


def timed(command: list[str], more: dict[str, str] | None = None) -> tuple[int, str, float]:
    """Run a command; return its exit code, the end of what it said, and the CPU-seconds of it and its children."""
    with tempfile.TemporaryFile("w+") as said:
        process = subprocess.Popen(command, stdout=said, stderr=said, env={**os.environ, **ONE_THREAD, **(more or {})})
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        said.seek(0)
        return process.returncode, said.read()[-1500:], round(usage.ru_utime + usage.ru_stime, 2)


def run_peer(
    split: Split, method: str, folder: Path, given: argparse.Namespace
) -> tuple[dict[str, Any], np.ndarray | None]:
    np.savez(folder / "split.npz", **arrays(split))
    command = [given.peer_python, str(HERE / "peers" / "predict.py"), method, str(folder / "split.npz"),
               str(folder / "out.npz"), "--core-seconds", str(given.core_seconds),
               "--cpu-limit", str(given.cpu_limit)]  # fmt: skip
    code, said, cpu = timed(command)
    if code in (-24, -9):
        return {"status": "timed out", "cpu_seconds": cpu}, None
    if code:
        return {"status": "failed", "why": said, "cpu_seconds": cpu}, None
    with np.load(folder / "out.npz") as file:
        predicted = file["p"]
    return {"status": "done", **json.loads((folder / "out.json").read_text())}, predicted


def cell(name: str, seed: int, method: str, given: argparse.Namespace) -> dict[str, Any]:
    split = cut(given.data, name, seed, given.rows)
    study = method.startswith("temperance")
    with tempfile.TemporaryDirectory(prefix="quality-") as folder:
        run = run_study(split, Path(folder), given) if study else run_peer(split, method, Path(folder), given)
    result, predicted = run
    if predicted is not None:
        result["metrics"] = scores(split.truth, predicted)
        losses = row_losses(split.truth, predicted)
        stem = f"{name}-s{seed}-{given.rows}-{{}}-{given.core_seconds:g}.npy"
        given.answers.mkdir(parents=True, exist_ok=True)
        np.save(given.answers / stem.format(method), losses.astype(np.float32))
        result["against"] = against(losses, given.answers, stem) if study else None
    return {
        "set": name, "seed": seed, "method": method, "core_seconds": given.core_seconds, "half": half(name),
        "seen": name in SEEN, "task": split.task, "classes": len(split.labels), "features": split.train.width - 1,
        "text_columns": sum(not kind.is_numeric() for kind in split.train.drop(split.target).schema.values()),
        "rows": {"train": len(split.train), "test": len(split.test), "most": given.rows}, **result,
        "budget": given.budget if study else None,
        "clock": "CPU" if given.cpu_clock or not study else "wall",
        "workers": given.workers if study else 1, "commit": revision(),
        "created": datetime.now(UTC).isoformat(timespec="seconds"), "load": round(os.getloadavg()[0], 2),
        "machine": {"cores": os.cpu_count(), "cpu": processor()},
    }  # fmt: skip


def against(ours: np.ndarray, answers: Path, stem: str) -> dict[str, list[float]]:
    """Return, per peer that answered the same rows, peer minus ours in mean loss with its 95 % interval over rows."""
    out = {}
    for method in METHODS:
        path = answers / stem.format(method)
        if method != "temperance" and path.exists():
            gain = np.load(path).astype(np.float64) - ours
            half_width = 1.96 * float(gain.std(ddof=1)) / len(gain) ** 0.5
            ends = gain.mean() - half_width, gain.mean() + half_width
            out[method] = [round(float(v), 6) for v in (gain.mean(), *ends)]
    return out


def revision() -> str:
    """Return the commit, with ``+changes`` where the sources differ from it."""
    run = ["git", "-C", str(HERE.parent)]
    head = subprocess.run([*run, "rev-parse", "--short=12", "HEAD"], capture_output=True, text=True).stdout.strip()
    changed = subprocess.run([*run, "status", "--porcelain", "--", "src"], capture_output=True, text=True).stdout
    return head + ("+changes" if changed.strip() else "")


def processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())


def seconds(text: str) -> float:
    """Return a budget such as 90s, 2m or 1h in seconds."""
    return float(text[:-1]) * {"s": 1, "m": 60, "h": 3600}[text[-1]]


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words = lambda text: tuple(part for part in text.split(",") if part)  # noqa: E731
    parser.add_argument("--data", type=Path, metavar="DIR")
    parser.add_argument(
        "--half", choices=("once", "tuned"), default="once", help="whose sets, unless --sets names them"
    )
    parser.add_argument("--sets", type=words)
    parser.add_argument("--seeds", type=lambda text: tuple(int(s) for s in words(text)), default=(0,))
    parser.add_argument("--methods", type=words, default=("temperance",))
    parser.add_argument("--rows", type=int, default=12_000, help="rows for everything but the test, at most")
    parser.add_argument("--budget", default="60s", help="wall clock of a study")
    parser.add_argument("--workers", type=int, default=2, help="processes of a study")
    parser.add_argument("--core-seconds", type=float, help="CPU-seconds of a peer; default: budget × workers")
    parser.add_argument("--peer-python", default=sys.executable, help="a Python that has the peer")
    parser.add_argument("--cpu-clock", action="store_true", help="a study's budget counts CPU-seconds")
    parser.add_argument("--hashed", action="store_true", help="sets by a hash of their names, not by size")
    parser.add_argument("--cpu-limit", type=int, default=480, help="CPU-seconds after which a peer is ended")
    parser.add_argument("--records", type=Path, default=RECORDS)
    parser.add_argument("--answers", type=Path, default=Path(tempfile.gettempdir()) / "quality_answers",
                        help="where the losses of test rows wait for the paired intervals")  # fmt: skip
    parser.add_argument("--summary", action="store_true", help="write summary.json and summary.md")
    given = parser.parse_args()
    if not given.budget.endswith(("s", "m", "h")):
        parser.error("--budget is a time here, such as 60s or 5m: core-seconds are what is made equal")
    if given.core_seconds is None or any(m.startswith("temperance") for m in given.methods):
        given.core_seconds = seconds(given.budget) * given.workers
    return given


def run(given: argparse.Namespace) -> None:
    path = given.records / "cells.jsonl"
    sets = given.sets or [name for name in SETS if half(name) == given.half]
    size = {name: (given.data / name / "data.parquet").stat().st_size for name in sets}
    order = [(seed, method, name) for seed, method in itertools.product(given.seeds, given.methods)
             for name in sorted(sets, key=lambda n: size[n])]  # fmt: skip
    if given.hashed:
        drawn = sorted(sets, key=lambda n: hashlib.sha256(f"temperance order:{n}".encode()).hexdigest())
        order = list(itertools.product(given.seeds, drawn, given.methods))
        order = [(seed, method, name) for seed, name, method in order]
    for seed, method, name in order:
        key = (name, seed, method, given.core_seconds, given.rows)
        if key in {summary.key_of(c) for c in summary.load(given.records) if c["status"] != "failed"}:
            continue
        record = cell(name, seed, method, given)
        with path.open("a") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            file.write(json.dumps(record) + "\n")
        print(name, seed, method, record["status"], record.get("cpu_seconds"), "CPU s", flush=True)


def main() -> None:
    given = arguments()
    given.records.mkdir(parents=True, exist_ok=True)
    if given.data is not None:
        run(given)
    elif not given.summary:
        print("quality: no --data DIR, so no cell is run; the summary is made of the records there are")
    if given.summary or given.data is None:
        print(summary.write(given.records))


if __name__ == "__main__":
    main()
