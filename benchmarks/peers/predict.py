"""Train one peer on one split and write what it predicts; called by ``benchmarks/quality.py``, one process a cell.

Temperance need not be installed; a peer needs its own library alone (and the search optuna).
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[name] = "1"
sys.path.insert(0, str(Path(__file__).parents[1]))

import numpy as np  # noqa: E402
from peers.search import Data, Search  # noqa: E402

Answer = tuple[dict[str, np.ndarray], dict[str, Any]]  # predictions by name; the settings used
LIBRARIES = ("numpy", "scikit-learn", "lightgbm", "catboost", "perpetual", "optuna", "pytabkit", "torch")


def tuned(name: str) -> Callable[[Data, float], Answer]:
    def train(data: Data, seconds: float) -> Answer:
        from peers import boosting

        return Search(getattr(boosting, name)(data), seconds).run()

    return train


def hgb_default(data: Data, seconds: float) -> Answer:
    from peers.boosting import Histogram

    library = Histogram(data)
    model = library.model().fit(library.rows, data["y"])
    if data["regression"]:
        return {"p": model.predict(library.test)}, {"note": "scikit-learn's defaults"}
    return {"p": library.full(model.predict_proba(library.test), model.classes_)}, {"note": "scikit-learn's defaults"}


def perpetual(data: Data, seconds: float) -> Answer:
    """Train with its budget 1.0; where time is left, again with the largest budget (at most 2) that fits it.

    It is given frames: version 2.3.0 answers at random, on its own training rows too, for NumPy arrays.
    """
    from perpetual import PerpetualBooster

    rows, test = named_frame(data, ""), named_frame(data, "_test")
    settings = {"objective": "SquaredLoss" if data["regression"] else "LogLoss", "num_threads": 1, "seed": data["seed"]}
    used, model = [], None
    for _ in range(4):
        began = time.process_time()
        left = seconds - began - 0.5
        budget = 1.0 if not used else round(min(2.0, used[-1][0] + 0.9 * np.log10(left / used[-1][1])), 2)
        if used and (left <= 0 or budget <= used[-1][0] + 0.05):
            break
        # its own clock is wall time: on a busy machine it ends later, as CPU-seconds want it, by the share it had
        candidate = PerpetualBooster(budget=budget, timeout=left * wall_per_cpu(), **settings)
        candidate.fit(rows, data["y"])
        took = time.process_time() - began
        if model is not None and took > 0.97 * left:  # cut off: the smaller budget that was trained to its end stands
            break
        model, used = candidate, [*used, (budget, max(took, 0.02))]
    about = {"budgets": used, "used": used[-1][0]}
    if data["regression"]:
        return {"p": np.asarray(model.predict(test), np.float64)}, about
    found = np.asarray(model.predict_proba(test), np.float64)
    full = np.zeros((len(found), data["classes"]))
    full[:, np.asarray(model.classes_).astype(int)] = found
    return {"p": full}, about


def named_frame(data: Data, part: str) -> Any:
    """Return a frame whose categories are those of the training rows; others and missing ones are none."""
    import pandas as pd

    frame = pd.DataFrame(data["x" + part], columns=[f"n{i}" for i in range(data["x"].shape[1])])
    for i in range(data["c"].shape[1]):
        names = [f"v{code}" for code in range(int(data["c"][:, i].max(initial=0)) + 1)]
        frame[f"c{i}"] = pd.Categorical.from_codes(data["c" + part][:, i], names)
    return frame


def wall_per_cpu() -> float:
    """Return wall seconds per CPU-second of one thread just now, from a short spin."""
    cpu, wall = time.process_time(), time.perf_counter()
    while time.process_time() - cpu < 0.15:
        pass
    return max(1.0, (time.perf_counter() - wall) / (time.process_time() - cpu))


def encoded(data: Data) -> tuple[Any, Any]:
    """Return standard scores beside one-hot categories, sparse where these are many; missing numbers at the median."""
    from scipy import sparse
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    middle = np.nan_to_num(np.nanmedian(data["x"], axis=0)) if data["x"].shape[1] else np.zeros(0)
    scale, coder = StandardScaler(), OneHotEncoder(handle_unknown="ignore", min_frequency=2)
    out = []
    for part in ("", "_test"):
        x = np.where(np.isnan(data["x" + part]), middle, data["x" + part])
        blocks = [scale.fit_transform(x) if part == "" else scale.transform(x)] if x.shape[1] else []
        c = data["c" + part]
        blocks += [coder.fit_transform(c) if part == "" else coder.transform(c)] if c.shape[1] else []
        both = sparse.hstack([sparse.csr_matrix(block) for block in blocks]).tocsr()
        out.append(both.toarray() if both.shape[1] <= 500 else both)
    return out[0], out[1]


def linear(data: Data, seconds: float) -> Answer:
    """Ridge or logistic regression (L2), its strength by five folds."""
    from peers.search import folds_of
    from sklearn.linear_model import LogisticRegression, RidgeCV
    from sklearn.metrics import log_loss

    rows, test = encoded(data)
    if data["regression"]:
        model = RidgeCV(alphas=np.logspace(-3, 4, 15)).fit(rows, data["y"])
        return {"p": np.asarray(model.predict(test), np.float64)}, {"alpha": float(model.alpha_)}
    marks, names = {}, np.arange(data["classes"])
    for strength in (1.0, 0.1, 10.0, 0.01, 100.0):
        if time.process_time() > 0.6 * seconds:
            break
        losses = []
        for fit, check in folds_of(data):
            model = LogisticRegression(C=strength, max_iter=500).fit(rows[fit], data["y"][fit])
            p = np.full((len(check), data["classes"]), 1e-12)
            p[:, model.classes_.astype(int)] = model.predict_proba(rows[check])
            losses.append(log_loss(data["y"][check], p / p.sum(1, keepdims=True), labels=names))
        marks[strength] = float(np.mean(losses))
    best = min(marks, key=marks.get)
    model = LogisticRegression(C=best, max_iter=2000).fit(rows, data["y"])
    full = np.zeros((test.shape[0], data["classes"]))
    full[:, model.classes_.astype(int)] = model.predict_proba(test)
    return {"p": full}, {"C": best, "tried": len(marks)}


def frames(data: Data) -> tuple[Any, Any]:
    import pandas as pd

    middle = np.nan_to_num(np.nanmedian(data["x"], axis=0)) if data["x"].shape[1] else np.zeros(0)
    out = []
    for part in ("", "_test"):
        x = np.where(np.isnan(data["x" + part]), middle, data["x" + part])
        frame = {f"n{i}": x[:, i] for i in range(x.shape[1])}
        for i in range(data["c"].shape[1]):
            frame[f"c{i}"] = pd.Categorical([f"v{v}" for v in data["c" + part][:, i]])
        out.append(pd.DataFrame(frame))
    return out[0], out[1]


def pytabkit_model(name: str) -> Callable[[Data, float], Answer]:
    """Return a trainer of a pytabkit model in its default setting, stopped by log loss; its time is what it takes."""

    def train(data: Data, seconds: float) -> Answer:
        import pytabkit
        import torch

        torch.set_num_threads(1)
        settings: dict[str, Any] = {
            "n_cv": 1, "n_refit": 0, "val_fraction": 0.2, "random_state": data["seed"], "n_threads": 1, "device": "cpu",
        }  # fmt: skip
        if not data["regression"]:
            settings["val_metric_name"] = "cross_entropy"
            if name == "RealMLP_TD":
                settings["use_ls"] = False
        train_frame, test_frame = frames(data)
        model = getattr(pytabkit, name + ("_Regressor" if data["regression"] else "_Classifier"))(**settings)
        model.fit(train_frame, data["y"])
        about = {**settings, "missing numbers": "medians"}
        if data["regression"]:
            return {"p": np.asarray(model.predict(test_frame), np.float64).ravel()}, about
        found = np.asarray(model.predict_proba(test_frame), np.float64)
        full = np.zeros((len(found), data["classes"]))
        full[:, np.asarray(model.classes_, int)] = found
        return {"p": full}, about

    return train


PEERS: dict[str, Callable[[Data, float], Answer]] = {
    "hgb-tuned": tuned("Histogram"),
    "lightgbm": tuned("LightGBM"),
    "catboost": tuned("CatBoost"),
    "perpetual": perpetual,
    "hgb-default": hgb_default,
    "linear": linear,
    "realmlp-td": pytabkit_model("RealMLP_TD"),
    "tabm-d": pytabkit_model("TabM_D"),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("method", choices=sorted(PEERS))
    parser.add_argument("split", type=Path, help=".npz written by quality.py")
    parser.add_argument("out", type=Path, help=".npz to write; beside it a .json")
    parser.add_argument("--core-seconds", type=float, default=60.0)
    parser.add_argument("--cpu-limit", type=int, default=480, help="CPU-seconds after which the process is ended")
    given = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_CPU, (given.cpu_limit, given.cpu_limit + 5))
    with np.load(given.split) as file:
        data: Data = {key: file[key] for key in file.files}
    for key in ("regression", "classes", "seed"):
        data[key] = data[key].item()
    wall = time.perf_counter()
    predictions, settings = PEERS[given.method](data, given.core_seconds)
    np.savez(given.out, **predictions)
    about = {
        "cpu_seconds": round(time.process_time(), 2), "wall_seconds": round(time.perf_counter() - wall, 2),
        "settings": settings,
        "versions": {"python": platform.python_version()} | {p: version(p) for p in LIBRARIES if loaded(p)},
    }  # fmt: skip
    given.out.with_suffix(".json").write_text(json.dumps(about))


def loaded(package: str) -> bool:
    return {"scikit-learn": "sklearn"}.get(package, package) in sys.modules


if __name__ == "__main__":
    main()
