"""How the answers are wrong: which class is taken for which, what a threshold costs, where numbers miss."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from temperance.evaluation.base import Array, Outcome, clustered_wilson
from temperance.records.measurement import Measurement
from temperance.records.statistics import mean_interval, pool_groups

CLASSES = 20  # beyond, no table of classes is kept
POINTS = 60
DOTS = 200
FIFTHS = 5
THRESHOLD = 0.5  # of two classes, where no costs decide


def mistakes(seen: Outcome, classes: tuple[str, ...], *, seed: int = 0) -> dict[str, Any]:
    """Return what is wrong with answers, JSON-safe.

    For classes: ``confusion`` (rows are true, columns answered) and ``classes`` with recall and precision of each. For
    two classes also ``case`` (the rarer one), ``curve`` (thresholds for it) and ``threshold`` (the one in use). For
    numbers: ``dots`` (true and predicted), ``residuals`` (quantiles of true − predicted) and ``sizes`` (mean residual
    by fifth of the prediction).
    """
    if seen.task == "regression":
        return _numbers(seen, seed)
    c = len(classes)
    if c > CLASSES:
        return {"confusion": [], "classes": [], "left_out": f"{c} classes are too many for a table"}
    table = np.zeros((c, c), dtype=np.int64)
    np.add.at(table, (seen.target, seen.label), 1)
    rows = [_of_class(seen, name, k) for k, name in enumerate(classes)]
    found: dict[str, Any] = {"confusion": table.tolist(), "classes": rows}
    if c != 2:
        return found
    case = int((seen.target == 1).sum() <= (seen.target == 0).sum())
    return {**found, "case": classes[case], **_threshold(seen, case)}


def _of_class(seen: Outcome, name: str, k: int) -> dict[str, Any]:
    right = (seen.label == k) & (seen.target == k)
    return {
        "class": name,
        "recall": _share("recall", right, seen.target == k, seen.groups),
        "precision": _share("precision", right, seen.label == k, seen.groups),
        "n": int((seen.target == k).sum()),
        "answered": int((seen.label == k).sum()),
    }


def _share(name: str, right: NDArray[np.bool_], among: NDArray[np.bool_], groups: Any) -> dict[str, Any] | None:
    """Return a share with its interval, or None where there is nothing to share."""
    if not among.any():
        return None
    hits = right[among].astype(np.float64)
    low, high = clustered_wilson(hits, None if groups is None else groups[among])
    convention = "share of rows; Wilson interval"
    return Measurement(name, float(hits.mean()), low, high, len(hits), convention=convention, better="higher").to_dict()


def _threshold(seen: Outcome, case: int) -> dict[str, Any]:
    """Return recall, precision and false alarms of one of two classes at each threshold, and at the one in use."""
    chance, truth = seen.prediction[:, case], seen.target == case
    if not truth.any() or truth.all():
        return {"curve": [], "threshold": None}
    limits = np.unique(chance)[::-1]
    picked = limits[np.unique(np.linspace(0, len(limits) - 1, POINTS).round().astype(int))]
    curve = [_at(chance, truth, float(limit)) for limit in picked]
    used = None if seen.decision is None else seen.decision.limit
    limit = THRESHOLD if used is None else used if case == 1 else 1.0 - used
    return {"curve": curve, "threshold": _at(chance, truth, limit)}


def _at(chance: Array, truth: NDArray[np.bool_], limit: float) -> dict[str, Any]:
    hit = chance >= limit
    caught, flagged = int((hit & truth).sum()), int(hit.sum())
    return {
        "threshold": limit,
        "recall": caught / int(truth.sum()),
        "precision": caught / flagged if flagged else None,
        "false_alarms": (flagged - caught) / int((~truth).sum()),
        "caught": caught,
        "missed": int(truth.sum()) - caught,
        "false": flagged - caught,
    }


def _numbers(seen: Outcome, seed: int) -> dict[str, Any]:
    residual = seen.target.astype(np.float64) - seen.prediction
    index = np.sort(np.random.default_rng([seed, 0xD07]).permutation(seen.n)[:DOTS])
    order = np.argsort(seen.prediction, kind="stable")
    parts = [part for part in np.array_split(order, FIFTHS) if len(part) >= 2]
    quantiles = np.quantile(residual, [0.05, 0.25, 0.5, 0.75, 0.95])
    return {
        "dots": [{"truth": float(seen.target[i]), "predicted": float(seen.prediction[i])} for i in index],
        "residuals": {f"{q:g}": float(v) for q, v in zip((0.05, 0.25, 0.5, 0.75, 0.95), quantiles, strict=True)},
        "sizes": [_size(seen, residual, part) for part in parts],
    }


def _size(seen: Outcome, residual: Array, part: NDArray[np.int64]) -> dict[str, Any]:
    groups = None if seen.groups is None else seen.groups[part]
    ends = mean_interval(pool_groups(residual[part], groups))
    low, high = (float(end) if math.isfinite(end) else None for end in ends)
    convention = "mean of true − predicted; Student interval"
    mean = Measurement(
        "residual", float(residual[part].mean()), low, high, len(part), convention=convention, better="neither"
    )
    return {
        "low": float(seen.prediction[part].min()),
        "high": float(seen.prediction[part].max()),
        "residual": mean.to_dict(),
    }
