"""Intervals of proportions and means, and the bootstrap; NumPy and the standard library only.

A quantity that is not a plain mean (an area under a curve, an F1) is handled through its *contributions*: one number
per row whose mean is the estimate and whose spread gives its standard error (the delta method). So one interval, one
paired test and one rule for groups serve every metric.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from temperance.records.distributions import beta_quantile, normal_quantile, t_quantile
from temperance.records.errors import DataError, SettingError

Array = NDArray[np.float64]
Scale = Literal["line", "positive", "unit"]
CELLS = 4_000_000  # numbers drawn at once
_POOL = 20_000  # above so many rows the bootstrap draws blocks of rows


class Interval(NamedTuple):
    """Lower and upper end."""

    low: float
    high: float


# ---------------------------------------------------------------------------------------------------- proportions


def wilson(successes: float, n: float, *, confidence: float = 0.95) -> Interval:
    """Return Wilson's score interval of a proportion.

    Near its nominal coverage also for few rows and for rates near 0 or 1, where the bootstrap and the plain normal
    interval fall to a quarter of it. ``n`` may be an effective count (not whole).

    Raises:
        SettingError: ``confidence`` outside (0, 1), or a count outside 0 … n.

    """
    check_confidence(confidence)
    if n < 0 or not 0 <= successes <= n:
        raise SettingError(f"{successes} successes of {n}", "0 ≤ successes ≤ n", "Check the counts")
    if n == 0:
        return Interval(0.0, 1.0)
    z2 = normal_quantile(0.5 + confidence / 2) ** 2
    p = successes / n
    centre = (p + z2 / (2 * n)) / (1 + z2 / n)
    half = math.sqrt(z2 * (p * (1 - p) / n + z2 / (4 * n * n))) / (1 + z2 / n)
    return Interval(0.0 if p == 0 else max(0.0, centre - half), 1.0 if p == 1 else min(1.0, centre + half))


def clopper_pearson(successes: int, n: int, *, confidence: float = 0.95) -> Interval:
    """Return the exact interval of a proportion: never below nominal coverage, so fit for "at least" claims.

    Raises:
        SettingError: counts that cannot be.

    """
    check_confidence(confidence)
    if n < 0 or not 0 <= successes <= n:
        raise SettingError(f"{successes} successes of {n}", "0 ≤ successes ≤ n", "Check the counts")
    tail = (1 - confidence) / 2
    low = 0.0 if successes == 0 else beta_quantile(tail, a=float(successes), b=float(n - successes + 1))
    high = 1.0 if successes == n else beta_quantile(1 - tail, a=float(successes + 1), b=float(n - successes))
    return Interval(low, high)


def newcombe(first: tuple[int, int], second: tuple[int, int], *, confidence: float = 0.95) -> Interval:
    """Return the interval of a difference of two independent proportions, from their Wilson intervals.

    Args:
        first: (successes, n) of the first group.
        second: (successes, n) of the second; the difference is first − second.
        confidence: confidence level.

    References:
        Newcombe (1998), method 10.

    """
    (k1, n1), (k2, n2) = first, second
    (l1, h1), (l2, h2) = wilson(k1, n1, confidence=confidence), wilson(k2, n2, confidence=confidence)
    p1, p2 = k1 / n1 if n1 else 0.5, k2 / n2 if n2 else 0.5
    gap = p1 - p2
    return Interval(gap - math.hypot(p1 - l1, h2 - p2), gap + math.hypot(h1 - p1, p2 - l2))


# ---------------------------------------------------------------------------------------------------------- means


def pool_groups(values: ArrayLike, groups: ArrayLike | None) -> Array:
    """Turn per-row values into one value per group, with the same mean and the spread that groups imply.

    Rows of one group (one customer, one patient) are not independent. With s_g the sum and n_g the count of group g,
    G groups and n rows, the result is m + (s_g − n_g m) G / n, with m the mean over rows. Without groups it is the
    input as float64.
    """
    rows = np.asarray(values, dtype=np.float64)
    if groups is None:
        return rows
    _, code = np.unique(np.asarray(groups), return_inverse=True)
    count = np.bincount(code).astype(np.float64)
    mean = float(rows.mean())
    return mean + (np.bincount(code, weights=rows) - count * mean) * (len(count) / len(rows))


def standard_error(values: ArrayLike) -> float:
    """Return the standard error of the mean; not a number below two values."""
    rows = np.asarray(values, dtype=np.float64)
    return float(rows.std(ddof=1) / math.sqrt(len(rows))) if len(rows) > 1 else math.nan


def mean_interval(values: ArrayLike, *, confidence: float = 0.95, scale: Scale = "line") -> Interval:
    """Return Student's interval of a mean.

    Args:
        values: (b,) per-row values or contributions.
        confidence: confidence level.
        scale: ``line``; ``positive``: made on the log scale, for losses, whose few large values pull the upper end up
            (it held the true mean as often as BCa in our trials, without draws); ``unit``: made on the logit scale, so
            that it stays in [0, 1].

    Returns:
        The interval; infinite (or 0 … 1) below two values.

    """
    check_confidence(confidence)
    rows = np.asarray(values, dtype=np.float64)
    if len(rows) < 2:
        return Interval(0.0, 1.0) if scale == "unit" else Interval(-math.inf, math.inf)
    mean = float(rows.mean())
    half = t_quantile(0.5 + confidence / 2, df=len(rows) - 1) * standard_error(rows)
    if scale == "positive" and mean > 0:
        return Interval(mean * math.exp(-half / mean), mean * math.exp(half / mean))
    if scale != "unit":
        return Interval(mean - half, mean + half)
    if half == 0 or not 0 < mean < 1:
        return wilson(min(1.0, max(0.0, mean)) * len(rows), len(rows), confidence=confidence)
    logit, spread = math.log(mean / (1 - mean)), half / (mean * (1 - mean))
    return Interval(_expit(logit - spread), _expit(logit + spread))


def bootstrap_means(
    values: ArrayLike, *, resamples: int = 1000, seed: int = 0, strata: ArrayLike | None = None
) -> Array:
    """Return means of rows drawn with replacement, (resamples,) or (resamples, d) for values (b, d).

    Args:
        values: (b,) or (b, d) per-row values.
        resamples: how many draws.
        seed: of the generator; same seed and count of rows, same draws, so that two models can share them.
        strata: (b,) labels; each keeps its count in every draw.

    Above 20,000 rows, rows are first pooled at random into blocks of equal size (means of blocks have the same
    variance of the overall mean), so time does not grow with the data.

    Raises:
        DataError: no rows.

    """
    rows = np.asarray(values, dtype=np.float64)
    if not len(rows):
        raise DataError("no rows to draw from", "at least one row", "Check the role that is measured")
    generator = np.random.default_rng([seed, 0xB007])
    if strata is not None:
        _, code = np.unique(np.asarray(strata), return_inverse=True)
        total = np.zeros((resamples, *rows.shape[1:]))
        for stratum in range(code.max() + 1):
            part = rows[code == stratum]
            total += _draw_means(part, resamples, generator) * (len(part) / len(rows))
        return total
    return _draw_means(rows, resamples, generator)


def _draw_means(rows: Array, resamples: int, generator: np.random.Generator) -> Array:
    rows = _pooled(rows, generator)
    n = len(rows)
    out = np.empty((resamples, *rows.shape[1:]))
    step = max(1, CELLS // n)
    for start in range(0, resamples, step):
        stop = min(resamples, start + step)
        out[start:stop] = rows[generator.integers(0, n, size=(stop - start, n))].mean(axis=1)
    return out


def _pooled(rows: Array, generator: np.random.Generator) -> Array:
    if len(rows) <= _POOL:
        return rows
    size = -(-len(rows) // (_POOL // 4))
    kept = generator.permutation(len(rows))[: len(rows) // size * size]
    blocks: Array = rows[kept].reshape(-1, size, *rows.shape[1:]).mean(axis=1)
    blocks += rows.mean(axis=0) - blocks.mean(axis=0)
    return blocks


def bootstrap_interval(
    values: ArrayLike,
    *,
    statistic: Callable[[Any], Any] | None = None,
    confidence: float = 0.95,
    resamples: int = 1000,
    seed: int = 0,
    strata: ArrayLike | None = None,
) -> Interval:
    """Return the percentile bootstrap interval of the mean, or of ``statistic`` of the mean (``np.sqrt`` for RMSE)."""
    check_confidence(confidence)
    draws = bootstrap_means(values, resamples=resamples, seed=seed, strata=strata)
    draws = draws if statistic is None else statistic(draws)
    low, high = np.nanquantile(draws, [(1 - confidence) / 2, (1 + confidence) / 2])
    return Interval(float(low), float(high))


# ---------------------------------------------------------------------------------------------------------- checks


def check_confidence(confidence: float) -> None:
    """Refuse a confidence level outside (0, 1).

    Raises:
        SettingError: it is.

    """
    if not 0 < confidence < 1:
        raise SettingError(f"confidence {confidence}", "between 0 and 1, e.g. 0.95", "Give a share, not a percentage")


def _expit(x: float) -> float:
    return 1 / (1 + math.exp(-x)) if x >= 0 else math.exp(x) / (1 + math.exp(x))
