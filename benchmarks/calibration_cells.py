"""Probabilities of many models on real tables, for ``calibration.py``: calibration rows and test rows of each cell.

A cell is (set, model, seed). Per set and seed: 35 % of the rows (at most 10,000) are the test, half of the others (at
most 1,000) are for calibration, the rest (at most 2,000) trains; each class alike. Classes of fewer than 8 rows are
left out. ``folded`` is what a study ships: five folds × three models, each answering for the fold it did not see
(the calibration rows, which the weights will be chosen on), and the mean over folds on the test rows.
"""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, train_test_split
from sklearn.naive_bayes import GaussianNB
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

FOLDED = ("logistic", "forest", "mlp")
MODELS = ("net", "hgb", "forest", "logistic", "bayes", "mlp", "folded")
LARGEST = 60_000


def sets(data: Path, chosen: Any) -> list[str]:
    """Return names of the classification tables that ``chosen(name)`` keeps."""
    found = []
    for path in sorted(data.glob("*/meta.json")):
        meta = json.loads(path.read_text())
        table = (path.parent / "data.parquet").exists() and meta.get("rows", 0) <= LARGEST
        if (
            meta.get("task") == "classification"
            and table
            and isinstance(meta.get("features"), int)
            and chosen(path.parent.name)
        ):
            found.append(path.parent.name)
    return found


def cells(data: Path, name: str, seed: int, models: tuple[str, ...]) -> Any:
    """Yield (model, {calibration, calibration_target, test, test_target}) of one set; folded has (3, b, c)."""
    frame, target = _read(data / name)
    rows = np.arange(len(target))
    rest, test = train_test_split(
        rows, test_size=min(10_000, int(0.35 * len(rows))), random_state=seed, stratify=target
    )
    held = min(1000, len(rest) // 2)
    train, held = train_test_split(rest, test_size=held, random_state=seed, stratify=target[rest])
    train = np.random.default_rng(seed).permutation(train)[:2000]
    held = np.random.default_rng(seed).permutation(held)
    classes, matrix = int(target.max()) + 1, None
    for model in models:
        if model == "net":
            parts = _net(frame, target, train, (held, test), classes, seed)
        else:
            matrix = _matrix(frame, train) if matrix is None else matrix
            make = _folded if model == "folded" else _single
            parts = make(model, matrix, target, train, (held, test), classes, seed)
        index, answers, tested = parts
        yield model, {
            "calibration": answers, "calibration_target": target[index], "test": tested, "test_target": target[test],
        }  # fmt: skip


def _read(folder: Path) -> tuple[pl.DataFrame, np.ndarray]:
    meta = json.loads((folder / "meta.json").read_text())
    frame = pl.read_parquet(folder / "data.parquet").drop(meta.get("split_columns") or [], strict=False)
    frame = frame.drop_nulls(meta["target"])
    words = frame[meta["target"]].cast(str).to_numpy().astype(str)
    names, counts = np.unique(words, return_counts=True)
    kept = np.flatnonzero(np.isin(words, names[counts >= 8]))
    target = np.unique(words[kept], return_inverse=True)[1].astype(np.int64)
    return frame.drop(meta["target"])[kept], target


def _matrix(frame: pl.DataFrame, train: np.ndarray) -> np.ndarray:
    numeric = [n for n, t in frame.schema.items() if t.is_numeric()]
    words = [n for n in frame.columns if n not in numeric]
    blocks = []
    if numeric:
        values = frame.select(pl.col(numeric).cast(pl.Float64)).to_numpy()
        step = make_pipeline(SimpleImputer(keep_empty_features=True), StandardScaler())
        blocks.append(step.fit(values[train]).transform(values))
    if words:
        codes = frame.select(pl.col(words).cast(str).fill_null("")).to_numpy().astype(object)
        step = OneHotEncoder(max_categories=12, handle_unknown="infrequent_if_exist", sparse_output=False)
        blocks.append(step.fit(codes[train]).transform(codes))
    return np.concatenate(blocks, axis=1)


def _estimator(model: str, seed: int) -> Any:
    return {
        "hgb": HistGradientBoostingClassifier(random_state=seed),
        "forest": RandomForestClassifier(100, random_state=seed),
        "logistic": LogisticRegression(max_iter=500),
        "bayes": GaussianNB(),
        "mlp": MLPClassifier(random_state=seed),
    }[model]


def _single(
    model: str, matrix: np.ndarray, target: np.ndarray, train: np.ndarray, asked: Any, classes: int, seed: int
) -> Any:
    held, test = asked
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fitted = _estimator(model, seed).fit(matrix[train], target[train])
    answers = [_spread(fitted.predict_proba(matrix[part]), fitted.classes_, classes) for part in (held, test)]
    return held, *answers


def _folded(
    model: str, matrix: np.ndarray, target: np.ndarray, train: np.ndarray, asked: Any, classes: int, seed: int
) -> Any:
    rows = np.random.default_rng(seed).permutation(np.concatenate([train[: max(0, 1000 - len(asked[0]))], asked[0]]))
    out = np.zeros((len(FOLDED), len(rows), classes))
    tested = np.zeros((len(FOLDED), len(asked[1]), classes))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for seen, left in StratifiedKFold(5).split(rows, target[rows]):
            for i, name in enumerate(FOLDED):
                fitted = _estimator(name, seed).fit(matrix[rows[seen]], target[rows[seen]])
                out[i, left] = _spread(fitted.predict_proba(matrix[rows[left]]), fitted.classes_, classes)
                tested[i] += _spread(fitted.predict_proba(matrix[asked[1]]), fitted.classes_, classes) / 5
    return rows, out, tested


def _net(frame: pl.DataFrame, target: np.ndarray, train: np.ndarray, asked: Any, classes: int, seed: int) -> Any:
    from temperance.estimators import TemperanceClassifier  # torch is loaded only where a net is asked for

    fitted = TemperanceClassifier(budget=None, random_state=seed).fit(frame[train], target[train])
    answers = [_spread(fitted.predict_proba(frame[part]), fitted.classes_, classes) for part in asked]
    return asked[0], *answers


def _spread(shares: np.ndarray, known: np.ndarray, classes: int) -> np.ndarray:
    full = np.zeros((len(shares), classes))
    full[:, np.asarray(known, dtype=np.int64)] = shares
    return full
