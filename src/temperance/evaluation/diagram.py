"""Bins of the reliability diagram: stated confidence beside the share of right answers."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from temperance.evaluation.base import Outcome, half_width
from temperance.evaluation.binning import equal_width
from temperance.records.statistics import wilson


@dataclass(frozen=True)
class Bin:
    """Rows of similar confidence.

    Attributes:
        low: lower edge of confidence.
        high: upper edge.
        confidence: mean confidence of the rows.
        accuracy: share of right answers.
        n: count of rows.
        accuracy_low: lower end of Wilson's interval of ``accuracy``.
        accuracy_high: upper end.
        expected_low: lower end of where ``accuracy`` falls, 95 times of 100, if the confidence is true.
        expected_high: upper end.

    """

    low: float
    high: float
    confidence: float
    accuracy: float
    n: int
    accuracy_low: float
    accuracy_high: float
    expected_low: float
    expected_high: float

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-safe fields."""
        return asdict(self)


def reliability(outcome: Outcome, *, bins: int = 10) -> tuple[Bin, ...]:
    """Return the bins that hold rows, of the most probable class; empty for regression, and for weighted rows."""
    if outcome.task == "regression" or outcome.weight is not None:
        return ()
    code = equal_width(outcome.confidence, bins=bins)
    out = []
    for b in np.unique(code):
        inside = code == b
        n, stated = int(inside.sum()), outcome.confidence[inside]
        hits, mean = int(outcome.sure[inside].sum()), float(stated.mean())
        low, high = wilson(hits, n)
        spread = half_width(float(np.sqrt((stated * (1 - stated)).sum()) / n))
        out.append(
            Bin(
                float(b / bins),
                float((b + 1) / bins),
                mean,
                hits / n,
                n,
                low,
                high,
                max(0.0, mean - spread),
                min(1.0, mean + spread),
            )
        )
    return tuple(out)
