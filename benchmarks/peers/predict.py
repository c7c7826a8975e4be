"""Train one peer on one split and write what it predicts; called by ``benchmarks/quality.py``, one process a cell.

It needs NumPy and scikit-learn, for RealMLP-TD and TabM-D also pytabkit and pandas; Temperance need not be installed.
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

import numpy as np  # noqa: E402

Data = dict[str, Any]
Answer = tuple[dict[str, np.ndarray], dict[str, Any]]  # predictions by name; the settings used
UNTUNED: dict[str, Any] = {"learning_rate": 0.1, "max_leaf_nodes": 31, "min_samples_leaf": 20}


def boosting(data: Data, **settings: Any) -> Any:
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    kind = HistGradientBoostingRegressor if data["regression"] else HistGradientBoostingClassifier
    categorical = np.r_[np.zeros(data["x"].shape[1], bool), np.ones(data["c"].shape[1], bool)]
    return kind(categorical_features=categorical, random_state=data["seed"], **settings)


def boosting_rows(data: Data, part: str) -> np.ndarray:
    codes = data["c" + part].astype(np.float64)
    codes[codes < 0] = np.nan
    return np.hstack([data["x" + part], codes])


def answer(model: Any, rows: Any, data: Data) -> np.ndarray:
    if data["regression"]:
        return np.asarray(model.predict(rows), np.float64).ravel()
    found = np.asarray(model.predict_proba(rows), np.float64)
    full = np.zeros((len(found), data["classes"]))
    full[:, np.asarray(model.classes_, int)] = found
    return full


def hgb_default(data: Data, seconds: float) -> Answer:
    model = boosting(data).fit(boosting_rows(data, ""), data["y"])
    return {"p": answer(model, boosting_rows(data, "_test"), data)}, {"note": "scikit-learn's defaults"}


def draw(rng: np.random.Generator) -> dict[str, Any]:
    """Return one random setting."""
    return {
        "learning_rate": float(np.exp(rng.uniform(np.log(0.01), np.log(0.3)))),
        "max_leaf_nodes": int(np.exp(rng.uniform(np.log(4), np.log(128)))),
        "min_samples_leaf": int(np.exp(rng.uniform(np.log(2), np.log(100)))),
        "l2_regularization": float(np.exp(rng.uniform(np.log(1e-4), np.log(100)))),
        "max_features": float(rng.uniform(0.3, 1.0)),
    }


def inner_split(data: Data) -> tuple[np.ndarray, np.ndarray]:
    from sklearn.model_selection import train_test_split

    rows = np.arange(len(data["y"]))
    stratify = None if data["regression"] else data["y"]
    fit, check = train_test_split(rows, test_size=0.2, random_state=data["seed"], stratify=stratify)
    return fit, check


def hgb_tuned(data: Data, seconds: float) -> Answer:
    """Search at random for ``seconds`` of CPU; the best number of rounds by the inner validation rows; refit."""
    rng, rows, (fit, check) = np.random.default_rng(data["seed"]), boosting_rows(data, ""), inner_split(data)
    began, tried, best = time.process_time(), 0, {}
    settings = UNTUNED
    while tried == 0 or time.process_time() - began < seconds:
        model = boosting(data, max_iter=1000, early_stopping=True, n_iter_no_change=20, tol=0.0, **settings)
        model.fit(rows[fit], data["y"][fit], X_val=rows[check], y_val=data["y"][check])
        rounds = max(1, int(np.argmax(model.validation_score_)))
        marks = {"loss": (-float(np.max(model.validation_score_)), 0.0)}
        if not data["regression"]:
            wrong = float(np.mean(model.predict(rows[check]) != data["y"][check]))
            marks["accuracy"] = (wrong, marks["loss"][0])
        for goal, mark in marks.items():
            if goal not in best or mark < best[goal][0]:
                best[goal] = (mark, {**settings, "max_iter": rounds})
        tried, settings = tried + 1, draw(rng)
    out, used = {}, {}
    for goal, (_, chosen) in best.items():
        model = boosting(data, early_stopping=False, **chosen).fit(rows, data["y"])
        out["p" if goal == "loss" else "p_accuracy"] = answer(model, boosting_rows(data, "_test"), data)
        used[goal] = chosen
    return out, {"tried": tried, "cpu_seconds_of_search": seconds, "processes": 1, "inner_validation": 0.2, **used}


def mlp(data: Data, seconds: float) -> Answer:
    from sklearn.compose import TransformedTargetRegressor
    from sklearn.neural_network import MLPClassifier, MLPRegressor
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    scale, coder = StandardScaler(), OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    middle = np.nan_to_num(np.nanmedian(data["x"], axis=0)) if data["x"].shape[1] else np.zeros(0)
    parts = []
    for part in ("", "_test"):
        x = np.where(np.isnan(data["x" + part]), middle, data["x" + part])
        x = x if not x.shape[1] else (scale.fit_transform(x) if part == "" else scale.transform(x))
        c = data["c" + part]
        c = c if not c.shape[1] else (coder.fit_transform(c) if part == "" else coder.transform(c))
        parts.append(np.hstack([x, c]).astype(np.float32))
    settings: dict[str, Any] = {
        "hidden_layer_sizes": (256, 256), "early_stopping": True, "validation_fraction": 0.2,
        "n_iter_no_change": 20, "max_iter": 500, "random_state": data["seed"],
    }  # fmt: skip
    if data["regression"]:
        model = TransformedTargetRegressor(MLPRegressor(**settings), transformer=StandardScaler())
    else:
        model = MLPClassifier(**settings)
    model.fit(parts[0], data["y"])
    return {"p": answer(model, parts[1], data)}, {**settings, "inputs": "medians, standard scores, one-hot"}


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


def pytabkit_model(name: str, goal: str | None) -> Callable[[Data, float], Answer]:
    """Return a trainer of a pytabkit model; ``goal`` names the metric it is set for."""

    def train(data: Data, seconds: float) -> Answer:
        import pytabkit
        import torch

        torch.set_num_threads(1)
        settings: dict[str, Any] = {
            "n_cv": 1, "n_refit": 0, "val_fraction": 0.2, "random_state": data["seed"], "n_threads": 1, "device": "cpu",
        }  # fmt: skip
        if goal == "log loss" and not data["regression"]:
            settings["val_metric_name"] = "cross_entropy"
            if name == "RealMLP_TD":
                settings["use_ls"] = False
        train_frame, test_frame = frames(data)
        model = getattr(pytabkit, name + ("_Regressor" if data["regression"] else "_Classifier"))(**settings)
        model.fit(train_frame, data["y"])
        return {"p": answer(model, test_frame, data)}, {**settings, "missing numbers": "medians"}

    return train


PEERS: dict[str, Callable[[Data, float], Answer]] = {
    "hgb-default": hgb_default,
    "hgb-tuned": hgb_tuned,
    "mlp": mlp,
    "realmlp-td": pytabkit_model("RealMLP_TD", "log loss"),
    "realmlp-td-accuracy": pytabkit_model("RealMLP_TD", None),
    "tabm-d": pytabkit_model("TabM_D", "log loss"),
    "tabm-d-accuracy": pytabkit_model("TabM_D", None),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("method", choices=sorted(PEERS))
    parser.add_argument("split", type=Path, help=".npz written by quality.py")
    parser.add_argument("out", type=Path, help=".npz to write; beside it a .json")
    parser.add_argument("--tuning-seconds", type=float, default=60.0)
    parser.add_argument("--cpu-limit", type=int, default=480, help="CPU-seconds after which the process is ended")
    given = parser.parse_args()
    if "pytabkit" in sys.modules or given.method.startswith(("realmlp", "tabm")):
        try:
            import pytabkit  # noqa: F401
        except ImportError:
            sys.exit(
                "pytabkit is not installed in this Python: pip install pytabkit, or name another with --peer-python"
            )
    resource.setrlimit(resource.RLIMIT_CPU, (given.cpu_limit, given.cpu_limit + 5))
    with np.load(given.split) as file:
        data: Data = {key: file[key] for key in file.files}
    for key in ("regression", "classes", "seed"):
        data[key] = data[key].item()
    cpu, wall = time.process_time(), time.perf_counter()
    predictions, settings = PEERS[given.method](data, given.tuning_seconds)
    np.savez(given.out, **predictions)
    packages = ("numpy", "scikit-learn", *(("pytabkit", "torch") if "pytabkit" in sys.modules else ()))
    about = {
        "cpu_seconds": round(time.process_time() - cpu, 2), "wall_seconds": round(time.perf_counter() - wall, 2),
        "peak_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024, "settings": settings,
        "versions": {"python": platform.python_version()} | {p: version(p) for p in packages},
    }  # fmt: skip
    given.out.with_suffix(".json").write_text(json.dumps(about))


if __name__ == "__main__":
    main()
