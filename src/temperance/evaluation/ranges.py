"""Whether stated ranges hold what they promise, over all rows and where the prediction is small or large."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from temperance.evaluation.base import Outcome, clustered_wilson
from temperance.records.measurement import Measurement

PARTS, LEAST = 5, 20  # parts of the prediction, and rows in each


def ranged(seen: Outcome) -> dict[str, Any] | None:
    """Return coverage and mean width, of all rows and by fifth of the prediction, JSON-safe; None without ranges."""
    if seen.low is None or seen.high is None or not np.isfinite(seen.low).all():
        return None
    inside = (seen.target >= seen.low) & (seen.target <= seen.high)
    width = seen.high - seen.low
    parts = np.array_split(np.argsort(seen.prediction, kind="stable"), max(1, min(PARTS, seen.n // LEAST)))
    return {
        "promised": seen.coverage,
        "coverage": _coverage(seen, inside, np.arange(seen.n)),
        "width": float(width.mean()),
        "below": float((seen.target < seen.low).mean()),
        "above": float((seen.target > seen.high).mean()),
        "parts": [
            {
                "low": float(seen.prediction[part].min()),
                "high": float(seen.prediction[part].max()),
                "coverage": _coverage(seen, inside, part),
                "width": float(width[part].mean()),
            }
            for part in parts
            if len(parts) > 1
        ],
    }


def _coverage(seen: Outcome, inside: NDArray[np.bool_], part: NDArray[np.int64]) -> dict[str, Any]:
    hits = inside[part].astype(np.float64)
    low, high = clustered_wilson(hits, None if seen.groups is None else seen.groups[part])
    return Measurement(
        "interval_coverage", float(hits.mean()), low, high, len(part), convention="ends included; Wilson interval",
        better="neither",
    ).to_dict()  # fmt: skip
