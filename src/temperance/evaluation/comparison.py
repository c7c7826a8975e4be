"""Compare two models on the same rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from temperance.evaluation.metrics.registry import METRICS
from temperance.records.errors import SettingError, nearest
from temperance.records.measurement import Measurement
from temperance.records.statistics import Method, Paired, holm, paired

Word = Literal["better", "worse", "no evidence of difference"]


@dataclass(frozen=True)
class Comparison:
    """The first model against the second.

    Attributes:
        difference: first − second, in units of the metric, with its interval.
        p: two-sided p value of "no difference".
        method: the test.
        verdict: what may be said of the first model.
        equivalent: the whole interval lies within ± ``margin``.
        margin: differences up to this size do not matter.

    """

    difference: Measurement
    p: float
    method: str
    verdict: Word
    equivalent: bool
    margin: float

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-safe fields."""
        return {
            "difference": self.difference.to_dict(),
            "p": self.p,
            "method": self.method,
            "verdict": self.verdict,
            "equivalent": self.equivalent,
            "margin": self.margin,
        }


def compare(
    first: ArrayLike,
    second: ArrayLike,
    *,
    metric: str = "loss",
    alpha: float = 0.05,
    margin: float = 0.005,
    groups: ArrayLike | None = None,
    method: Method = "auto",
    seed: int = 0,
) -> Comparison:
    """Compare two models by per-row losses of one metric, as ``Evaluation.losses`` holds them.

    Args:
        first: (b,) losses of the first model, lower is better.
        second: (b,) losses of the second, same rows, same order.
        metric: name of the metric; the difference is given in its units and its direction (``accuracy``: higher is
            better; ``rmse``: from squared errors back to the target's units). ``loss``: the losses as they are.
        alpha: level of the verdict; correct p values first (``records.statistics.holm``) when models are many.
        margin: differences up to this size do not matter.
        groups: (b,) labels of rows that belong together.
        method: the test; see ``records.statistics.paired``.
        seed: of its generator.

    Raises:
        SettingError: unknown metric.
        DataError: losses that do not match or are not finite.

    """
    known = {**METRICS, "loss": None, "robustness": None}
    if metric not in known:
        raise SettingError(f"there is no metric {metric!r}", f"known are {', '.join(known)}", nearest(metric, known))
    higher = metric == "robustness" or (metric != "loss" and METRICS[metric].better == "higher")
    a, b = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    if metric == "rmse":
        a, b = _linear(a), _linear(b)
    if method == "auto" and metric not in ("accuracy", "loss"):
        pairs = len(a) if groups is None else len(np.unique(np.asarray(groups)))
        method = "permutation" if pairs < 100 else "t"  # losses that happen to be 0 and 1 are no shares
    result = paired(a, b, groups=groups, method=method, confidence=1 - alpha, seed=seed)
    verdict: Word = "no evidence of difference"
    if result.p <= alpha:
        verdict = "better" if result.difference < 0 else "worse"
    ends = (result.low, result.high)
    value, low, high = (-result.difference, -ends[1], -ends[0]) if higher else (result.difference, *ends)
    difference = Measurement(
        f"difference/{metric}",
        value,
        low,
        high,
        result.n,
        convention=f"first − second on the same rows; {_words(result)}",
        better="higher" if higher else "lower",
        confidence=1 - alpha,
    )
    return Comparison(difference, result.p, result.method, verdict, -margin <= low and high <= margin, margin)


def compare_many(
    losses: Mapping[str, ArrayLike], *, against: str, metric: str = "loss", alpha: float = 0.05, **settings: Any
) -> dict[str, Comparison]:
    """Compare every model with the one named ``against``; p values and verdicts are corrected by Holm.

    So the chance that any of the claims "better" or "worse" is false stays at ``alpha``, however many models there are.

    Args:
        losses: per-row losses by model, on the same rows.
        against: the model that the others are compared with.
        metric: see ``compare``.
        alpha: level of all verdicts together.
        **settings: passed to ``compare``.

    Raises:
        SettingError: ``against`` is not among the models, or unknown metric.

    """
    if against not in losses:
        raise SettingError(f"there is no model {against!r}", f"one of {', '.join(losses)}", nearest(against, losses))
    alone = {
        name: compare(values, losses[against], metric=metric, alpha=alpha, **settings)
        for name, values in losses.items()
        if name != against
    }
    raised = holm([c.p for c in alone.values()])
    return {
        name: replace(c, p=p, verdict=c.verdict if p <= alpha else "no evidence of difference")
        for (name, c), p in zip(alone.items(), raised, strict=True)
    }


def _linear(squared: Any) -> Any:
    """Turn squared errors into numbers whose mean is the root of their mean and whose spread fits (delta method)."""
    root = float(np.sqrt(squared.mean())) if len(squared) else 0.0
    return squared * 0.0 if root == 0 else root + (squared - root**2) / (2 * root)


def _words(result: Paired) -> str:
    return {
        "mcnemar": "exact McNemar test, Agresti-Min interval",
        "t": "paired t test",
        "permutation": "sign-flip permutation test, percentile bootstrap interval",
        "bootstrap": "paired percentile bootstrap",
    }[result.method]
