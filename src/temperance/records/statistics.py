"""Paired tests and corrections for many tests; NumPy and the standard library only.

The intervals of ``records.intervals`` can be imported from here too.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from temperance.records.distributions import binomial_cdf, normal_quantile, t_tail
from temperance.records.errors import DataError, SettingError
from temperance.records.intervals import (
    CELLS,
    Array,
    Interval,
    Scale,
    bootstrap_interval,
    bootstrap_means,
    check_confidence,
    clopper_pearson,
    mean_interval,
    newcombe,
    pool_groups,
    standard_error,
    wilson,
)

Method = Literal["auto", "t", "bootstrap", "permutation", "mcnemar"]
METHODS = ("auto", "t", "bootstrap", "permutation", "mcnemar")


# ---------------------------------------------------------------------------------------------------------- pairs


@dataclass(frozen=True)
class Paired:
    """A comparison on the same rows.

    Attributes:
        difference: mean of first − second.
        low: lower end of its interval.
        high: upper end.
        p: two-sided p value of "no difference".
        n: pairs (rows, or groups).
        method: the test that was used.
        confidence: confidence level of the interval.

    """

    difference: float
    low: float
    high: float
    p: float
    n: int
    method: str
    confidence: float = 0.95

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-safe fields; a number that is not finite becomes null."""
        return {k: None if isinstance(v, float) and not math.isfinite(v) else v for k, v in asdict(self).items()}


def paired(
    first: ArrayLike,
    second: ArrayLike,
    *,
    method: Method = "auto",
    groups: ArrayLike | None = None,
    confidence: float = 0.95,
    resamples: int = 2000,
    seed: int = 0,
) -> Paired:
    """Compare two models by their per-row losses (or contributions) on the same rows.

    Args:
        first: (b,) losses of the first model.
        second: (b,) losses of the second, in the same order.
        method: ``t``; ``bootstrap`` (percentile interval and its p); ``permutation`` (sign flips, with the bootstrap's
            interval); ``mcnemar`` (exact, for losses 0 and 1); ``auto``: McNemar for 0/1 losses without groups,
            permutation below 100 pairs, else t.
        groups: (b,) labels of rows that belong together.
        confidence: confidence level of the interval.
        resamples: draws of bootstrap and permutation.
        seed: of their generator.

    Raises:
        DataError: lengths differ, no rows, or losses that are not finite.
        SettingError: unknown method.

    """
    check_confidence(confidence)
    a, b = _pair(first, second)
    if method not in METHODS:
        raise SettingError(f"method {method!r}", f"one of {', '.join(METHODS)}", "Leave it at 'auto'")
    if method == "auto":
        binary = groups is None and bool(np.isin(a, (0.0, 1.0)).all() and np.isin(b, (0.0, 1.0)).all())
        pairs = len(a) if groups is None else len(np.unique(np.asarray(groups)))
        method = "mcnemar" if binary else "permutation" if pairs < 100 else "t"
    if method == "mcnemar":
        return _paired_binary(a, b, confidence)
    d = pool_groups(a - b, groups)
    mean, n = float(d.mean()), len(d)
    if not np.any(d):
        return Paired(0.0, 0.0, 0.0, 1.0, n, method, confidence)
    if method == "t":
        error = standard_error(d)
        low, high = mean_interval(d, confidence=confidence)
        p = 1.0 if n < 2 else t_tail(mean / error if error > 0 else math.inf, df=n - 1)
        return Paired(mean, low, high, p, n, method, confidence)
    draws = bootstrap_means(d, resamples=resamples, seed=seed)
    low, high = (float(q) for q in np.quantile(draws, [(1 - confidence) / 2, (1 + confidence) / 2]))
    if method == "permutation":
        p = sign_flip(d, resamples=resamples, seed=seed)
    else:
        p = min(1.0, 2 * (1 + min(int((draws <= 0).sum()), int((draws >= 0).sum()))) / (resamples + 1))
    return Paired(mean, low, high, p, n, method, confidence)


def sign_flip(differences: ArrayLike, *, resamples: int = 2000, seed: int = 0) -> float:
    """Return the two-sided p value of the sign-flip permutation test of a zero mean.

    All sign patterns are counted up to 12 pairs; beyond, ``resamples`` random ones and the observed one.
    """
    d = np.asarray(differences, dtype=np.float64)
    d = d[d != 0]
    observed = abs(float(d.sum())) * (1 - 1e-12)
    if len(d) <= 12:
        signs = 1 - 2 * ((np.arange(2 ** len(d))[:, None] >> np.arange(len(d))) & 1)
        return float((np.abs(signs @ d) >= observed).mean())
    generator = np.random.default_rng([seed, 0xF11B])
    hits, step = 1, max(1, CELLS // len(d))
    for start in range(0, resamples, step):
        shape = (min(step, resamples - start), len(d))
        signs = generator.integers(0, 2, size=shape, dtype=np.int8) * 2 - 1
        hits += int((np.abs(signs @ d) >= observed).sum())
    return hits / (resamples + 1)


def mcnemar(only_first: int, only_second: int) -> float:
    """Return the exact two-sided p value of McNemar's test from the two counts of disagreeing pairs.

    Raises:
        SettingError: a count below 0.

    """
    if min(only_first, only_second) < 0:
        raise SettingError(f"counts {only_first}, {only_second}", "counts of at least 0", "Check the counts")
    n = only_first + only_second
    return 1.0 if n == 0 else min(1.0, 2.0 * binomial_cdf(min(only_first, only_second), n=n, p=0.5))


def _paired_binary(a: Array, b: Array, confidence: float) -> Paired:
    """Exact McNemar p with the interval of Agresti and Min (2005): half a pair is added to each of the four cells."""
    n, first, second = len(a), int(((a == 1) & (b == 0)).sum()), int(((a == 0) & (b == 1)).sum())
    m, up, down = n + 2.0, first + 0.5, second + 0.5
    centre = (up - down) / m
    half = normal_quantile(0.5 + confidence / 2) * math.sqrt(max(0.0, up + down - (up - down) ** 2 / m)) / m
    low, high = max(-1.0, centre - half), min(1.0, centre + half)
    return Paired((first - second) / n, low, high, mcnemar(first, second), n, "mcnemar", confidence)


# ----------------------------------------------------------------------------------------------------- many tests


def holm(p_values: Sequence[float]) -> list[float]:
    """Return Holm's adjusted p values: reject where ≤ α keeps the chance of any false claim at α."""
    p = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(p, kind="stable")
    raised = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1)) if len(p) else p
    return _unsorted(raised, order)


def benjamini_hochberg(p_values: Sequence[float]) -> list[float]:
    """Return Benjamini and Hochberg's adjusted p values: reject where ≤ q keeps the share of false claims at q."""
    p = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(p, kind="stable")
    scaled = p[order] * len(p) / np.arange(1, len(p) + 1)
    return _unsorted(np.minimum.accumulate(scaled[::-1])[::-1], order)


def _unsorted(values: Array, order: NDArray[np.int64]) -> list[float]:
    out = np.empty(len(values))
    out[order] = np.minimum(values, 1.0)
    return [float(v) for v in out]


def _pair(first: ArrayLike, second: ArrayLike) -> tuple[Array, Array]:
    a, b = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    if a.shape != b.shape or a.ndim != 1 or not len(a):
        raise DataError(
            f"losses of shapes {a.shape} and {b.shape}",
            "two lists of the same rows, at least one row",
            "Evaluate both models on the same rows in the same order",
        )
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        raise DataError("losses that are not finite", "finite numbers", "Check the predictions of both models")
    return a, b


__all__ = [
    "METHODS",
    "Interval",
    "Method",
    "Paired",
    "Scale",
    "benjamini_hochberg",
    "bootstrap_interval",
    "bootstrap_means",
    "clopper_pearson",
    "holm",
    "mcnemar",
    "mean_interval",
    "newcombe",
    "paired",
    "pool_groups",
    "sign_flip",
    "standard_error",
    "wilson",
]
