"""The mixture of several finished candidates: weighed on rows that none of them trained on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from temperance.study.mixture import Array, Evidence, nested, weigh
from temperance.study.state import Result

MOST = 4  # models in a mixture: each is exported and served
WEIGHED_ROWS = 4000
BEST_SHARE = 0.8  # share of the prior that lies on the best candidate


@dataclass(frozen=True, eq=False)
class Blend:
    """A mixture of candidates.

    Attributes:
        shares: (m,) weights that sum to 1.
        selection: answers (b, …) with weights found without the row's fold: what its figures are taken from.

    """

    shares: Array
    selection: NDArray[np.float64]


def blend(
    answers: Sequence[Array], truth: NDArray[np.generic], folds: NDArray[np.int64], weight: Array | None = None
) -> Blend:
    """Weigh candidates by their answers on held-out rows.

    Args:
        answers: per candidate (b, c) or (b,), not calibrated.
        truth: (b,) class codes or values.
        folds: (b,) number of each row's fold.
        weight: (b,) weights of the rows; None: all count the same.

    """
    evidence = Evidence.of(answers, truth, weight)
    rows = np.sort(np.random.default_rng(0).permutation(len(truth))[:WEIGHED_ROWS])
    part, present = evidence.part(rows), np.unique(folds[rows])
    shares = weigh(part, _prior(part), most=MOST)
    by_fold = nested(part, _prior, np.searchsorted(present, folds[rows]), most=MOST)
    selection = mixed(answers, shares)
    for fold, own in zip(present, by_fold, strict=True):
        selection[folds == fold] = mixed([a[folds == fold] for a in answers], own)
    return Blend(shares, selection)


def mixed(answers: Sequence[Array], shares: Array) -> NDArray[np.float64]:
    """Return Σ w · answers over the candidates with a share.

    Shapes: answers (b, c) or (b,) of each, shares (k,).
    """
    parts = [w * np.asarray(a, dtype=np.float64) for w, a in zip(shares, answers, strict=True) if w > 0]
    return np.sum(parts, axis=0)  # type: ignore[no-any-return]


def _prior(evidence: Evidence) -> Array:
    """Return most of the weight on the candidate that is best by itself, the rest on all alike."""
    prior = np.full(len(evidence.values), (1 - BEST_SHARE) / len(evidence.values))
    prior[int(np.argmin(evidence.alone))] += BEST_SHARE
    return prior


def summed(members: list[Result]) -> dict[str, Any]:
    """Return the cost of using all members one after the other."""
    keys = ("seconds", "passes", "latency_1_ms", "latency_256_ms", "parameters", "flops", "bytes")
    total: dict[str, Any] = {}
    for key in keys:
        values = [r.event["cost"].get(key) for r in members]
        total[key] = sum(v for v in values if v is not None) if any(v is not None for v in values) else None
    peaks = [r.event["cost"].get("peak_memory_bytes") for r in members]
    total["peak_memory_bytes"] = max([p for p in peaks if p is not None], default=0)
    return total


def mean_robustness(chosen: list[tuple[Result, float]]) -> dict[str, Any] | None:
    """Return the weighted mean of the members' robustness, flagged as not measured itself."""
    rows = [(r.event.get("robustness"), w) for r, w in chosen]
    if any(row is None or row.get("value") is None for row, _ in rows):
        return None
    value = sum(w * row["value"] for row, w in rows if row is not None)
    flags = ["mean of its members, not measured"]
    return {**(rows[0][0] or {}), "value": value, "low": None, "high": None, "flags": flags}
