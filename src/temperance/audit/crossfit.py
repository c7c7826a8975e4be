"""Out-of-fold predictions of small models, and how good they are."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def assign_folds(target: NDArray[Any], k: int, generator: np.random.Generator) -> Ints:
    """Return (b,) the fold of each row; classes (integer targets) are spread evenly over folds."""
    order = generator.permutation(len(target))
    if np.asarray(target).dtype.kind in "iu":
        order = order[np.argsort(target[order], kind="stable")]
    folds = np.empty(len(target), dtype=np.int64)
    folds[order] = np.arange(len(target)) % k
    return folds


def contiguous_folds(count: int, k: int) -> Ints:
    """Return (b,) folds of neighbouring rows."""
    return np.arange(count, dtype=np.int64) * k // max(count, 1)


def forest(*, classify: bool, seed: int, trees: int = 50, leaf: int = 1) -> Any:
    """Return extremely randomised trees on one thread (Geurts et al., 2006); they handle missing values."""
    from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor

    if classify:
        return ExtraTreesClassifier(trees, min_samples_leaf=leaf, random_state=seed, n_jobs=1)
    return ExtraTreesRegressor(trees, min_samples_leaf=leaf, max_features=0.5, random_state=seed, n_jobs=1)


def probabilities(model: Any, X: NDArray[Any], classes: int) -> Floats:
    """Return (b, c) with a column for every class, also those that the model has not seen."""
    out = np.zeros((len(X), classes))
    out[:, np.asarray(model.classes_, dtype=np.int64)] = model.predict_proba(X)
    return out


def out_of_fold(make: Any, X: NDArray[Any], target: NDArray[Any], folds: Ints, *, classes: int) -> Floats:
    """Return (b, c) probabilities, or (b,) values where ``classes`` is 0, by models that did not see the row."""
    result = np.zeros((len(X), classes) if classes else len(X))
    for fold in np.unique(folds):
        held = folds == fold
        model = make().fit(X[~held], target[~held])
        result[held] = probabilities(model, X[held], classes) if classes else model.predict(X[held])
    return result


def auc(target: Ints, scores: Floats) -> float:
    """Return the ROC AUC; with several classes the mean of one against the rest, without classes of under 5 rows.

    Args:
        target: (b,) class codes.
        scores: (b, c) probabilities.

    """
    from scipy.stats import rankdata

    def area(scored: Floats, is_hit: NDArray[np.bool_]) -> float:
        hits, others = int(is_hit.sum()), int((~is_hit).sum())
        return float((rankdata(scored)[is_hit].sum() - hits * (hits + 1) / 2) / (hits * others))

    return _against_the_rest(area, target, scores)


def separation(target: Ints, scores: Floats) -> float:
    """Return the balanced accuracy at the best cut; with several classes the mean of one against the rest.

    Classes of under 5 rows are left out. A column that holds the answer with a share of errors has its area and this
    figure alike; one that is only a strong sign (two normal classes, d spreads apart) has the area Φ(d/√2) and Φ(d/2).

    Args:
        target: (b,) class codes.
        scores: (b, c) probabilities.

    """

    def at_the_best_cut(scored: Floats, is_hit: NDArray[np.bool_]) -> float:
        cuts, place = np.unique(scored, return_inverse=True)
        above = np.bincount(place, is_hit, len(cuts))[::-1].cumsum() / is_hit.sum()
        false = np.bincount(place, ~is_hit, len(cuts))[::-1].cumsum() / (~is_hit).sum()
        return (1.0 + float((above - false).max())) / 2

    return _against_the_rest(at_the_best_cut, target, scores)


def _against_the_rest(measure: Callable[[Floats, NDArray[np.bool_]], float], target: Ints, scores: Floats) -> float:
    """Return a measure of one class's scores, its mean over classes of 5 rows and more; 0.5 where there is none."""
    count = np.bincount(target, minlength=scores.shape[1])
    classes = [1] if scores.shape[1] == 2 else [c for c in range(scores.shape[1]) if count[c] >= 5]
    values = [measure(scores[:, c], target == c) for c in classes if 0 < count[c] < len(target)]
    return float(np.mean(values)) if values else 0.5


def r2(target: Floats, predicted: Floats) -> float:
    """Return the share of the variance that is explained; 0 for a constant target.

    Shapes: both (b,).
    """
    total = float(((target - target.mean()) ** 2).sum())
    return 1.0 - float(((target - predicted) ** 2).sum()) / total if total > 0 else 0.0


def wilson(hits: float, n: int, *, z: float = 1.959964) -> tuple[float, float]:
    """Return the 95 % Wilson interval of a proportion (Wilson, 1927)."""
    if n == 0:
        return 0.0, 1.0
    p = hits / n
    middle = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return max(0.0, middle - half), min(1.0, middle + half)


def hits_of(predicted: Floats, target: NDArray[Any], *, variance: float = 0.0) -> Floats:
    """Return (b,) 1 for a right class; for numbers 1 − squared error / variance, whose mean is R².

    Args:
        predicted: (b, c) probabilities, or (b,) values.
        target: (b,) codes or values.
        variance: of the target; 0: that of ``target``.

    """
    if predicted.ndim == 2:
        right: Floats = (predicted.argmax(axis=1) == target).astype(np.float64)
        return right
    hits: Floats = 1.0 - (target - predicted) ** 2 / max(variance or float(np.var(target)), 1e-300)
    return hits
